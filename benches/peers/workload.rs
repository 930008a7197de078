//! What is measured: one world for all, and rounds in which each contender has its turn.

use std::time::{Duration, Instant};

use crate::contender::{Contender, Group, Step, Task};
use crate::random::Random;
use crate::results::{Measurement, Results};

/// How large the world is, and how long it is measured.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    pub(crate) connections: usize,
    /// The members of the groups that are published to again and again.
    pub(crate) sizes: &'static [usize],
    pub(crate) small_groups: usize,
    /// How long each workload takes at least, for all contenders together.
    pub(crate) budget: Duration,
    pub(crate) rounds: usize,
}

impl Scale {
    /// The one whose numbers mean something.
    pub(crate) const FULL: Self = Self {
        connections: 100_000,
        sizes: &[1, 10, 100, 1_000, 10_000, 100_000],
        small_groups: 10_000,
        budget: Duration::from_secs(10),
        rounds: 41,
    };

    /// One that shows in a second that all works.
    pub(crate) const SMOKE: Self = Self {
        connections: 1_000,
        sizes: &[1, 10, 100, 1_000],
        small_groups: 100,
        budget: Duration::ZERO,
        rounds: 1,
    };
}

/// The members of a group of many.
const SMALL: usize = 10;
/// How many publishes to one group are timed at once, at most.
const BATCH: usize = 64;
/// How many operations on random groups are timed at once: few enough that the machine seldom does something else in
/// between.
const SCATTERED: usize = 256;
/// How many come before that without being timed, to have in the caches again what all of them need, after the others
/// had their turns.
const WARMING: usize = 64;
/// How many connections disconnect at once, and in how many groups each is.
const LEAVING: usize = 64;
const GROUPS_EACH: usize = 10;

/// The same groups with the same members for all.
pub(crate) struct World {
    scale: Scale,
    groups: Vec<Group>,
    /// By group: first those of the sizes, then the small ones.
    members: Vec<Vec<usize>>,
    random: Random,
    contenders: Vec<Box<dyn Contender>>,
}

impl World {
    /// Opens the connections and puts them into the groups, in no order.
    pub(crate) fn build(scale: Scale, contenders: Vec<Box<dyn Contender>>) -> Self {
        let groups = (0..scale.sizes.len() + scale.small_groups).map(Group::new).collect();
        let (members, random) = (Vec::new(), Random::new());
        let mut world = Self { scale, groups, members, random, contenders };
        for &size in world.scale.sizes {
            world.members.push(world.random.distinct(world.scale.connections, size));
        }
        for _ in 0..world.scale.small_groups {
            world.members.push(world.random.distinct(world.scale.connections, SMALL));
        }
        for contender in &mut world.contenders {
            for who in 0..world.scale.connections {
                contender.connect(who);
            }
            for (group, members) in world.groups.iter().zip(&world.members) {
                for &who in members {
                    contender.join(who, group);
                }
            }
        }
        world
    }

    /// Requires that a publish reaches the same for all: each member once, before a join, after it, after a leave and
    /// after a disconnect.
    pub(crate) fn check(&mut self) {
        let newcomer = self.scale.connections;
        for place in 0..=self.scale.sizes.len() {
            let (group, members) = (&self.groups[place], &mut self.members[place]);
            let size = members.len();
            for contender in &mut self.contenders {
                require(&mut **contender, group, members);
                contender.connect(newcomer);
                members.push(newcomer);
                contender.join(newcomer, group);
                require(&mut **contender, group, members);
                contender.leave(newcomer, group);
                members.truncate(size);
                require(&mut **contender, group, members);
                contender.join(newcomer, group);
                contender.disconnect(newcomer);
                require(&mut **contender, group, members);
            }
        }
    }

    /// Measures everything whose name has this in it.
    pub(crate) fn measure(&mut self, filter: &str) -> Results {
        let mut results = Results::new(&self.contenders);
        let sizes = self.scale.sizes;
        for (place, &size) in sizes.iter().enumerate() {
            let name =
                if size == 1 { "1 member".into() } else { format!("{} members", grouped(size)) };
            if name.contains(filter) {
                results.add(name, true, |measurement| self.publish_again(place, measurement));
            }
        }
        let name = format!("{} groups of {SMALL}, at random", grouped(self.scale.small_groups));
        if name.contains(filter) {
            results.add(name, true, |measurement| self.publish_at_random(measurement));
        }
        for (name, leave) in [("join", false), ("leave", true)] {
            if name.contains(filter) {
                results.add(name.into(), false, |measurement| self.move_about(leave, measurement));
            }
        }
        let name = format!("disconnect from {GROUPS_EACH} groups");
        if name.contains(filter) {
            results.add(name, false, |measurement| self.disconnect(measurement));
        }
        results
    }

    /// Publishes to one group again and again, so that what belongs to it is in the caches.
    fn publish_again(&mut self, place: usize, measurement: &mut Measurement) {
        let (group, members) = (&self.groups[place], &self.members[place]);
        let steps = [Step { who: 0, group }; BATCH];
        let batch = (4_096 / members.len()).clamp(1, BATCH);
        self.scale.rounds(self.contenders.len(), 1, measurement, |_, place, timed| {
            let contender = &mut *self.contenders[place];
            contender.time(Task::Publish, &steps[..1]);
            let (time, delivered) = contender.time(Task::Publish, &steps[..batch]);
            assert_eq!(delivered, batch * members.len(), "{}", contender.name());
            empty(contender, members);
            timed.push(place, time, delivered);
        });
    }

    /// Publishes to small groups at random, so that little of what is needed is in the caches.
    fn publish_at_random(&mut self, measurement: &mut Measurement) {
        let first = self.scale.sizes.len();
        let mut picks = Vec::new();
        let (count, random) = (self.contenders.len(), &mut self.random);
        self.scale.rounds(count, 1, measurement, |_, place, timed| {
            if timed.is_new() {
                picks = random.several(self.groups.len() - first, WARMING + SCATTERED);
            }
            let groups: Vec<_> =
                picks.iter().map(|pick| self.groups[first + pick].clone()).collect();
            let steps: Vec<_> = groups.iter().map(|group| Step { who: 0, group }).collect();
            let contender = &mut *self.contenders[place];
            let (warming, steps) = steps.split_at(WARMING);
            contender.time(Task::Publish, warming);
            let (time, delivered) = contender.time(Task::Publish, steps);
            assert_eq!(delivered, SCATTERED * SMALL, "{}", contender.name());
            for pick in &picks {
                empty(contender, &self.members[first + pick]);
            }
            timed.push(place, time, delivered);
        });
    }

    /// Lets random connections join random small groups, and leave them again once all others have let theirs join: who
    /// leaves has not just been here.
    fn move_about(&mut self, leave: bool, measurement: &mut Measurement) {
        let first = self.scale.sizes.len();
        let mut picks = Vec::new();
        let (count, random) = (self.contenders.len(), &mut self.random);
        self.scale.rounds(count, 2, measurement, |phase, place, timed| {
            if timed.is_new() {
                let count = WARMING + SCATTERED;
                let places = random.several(self.groups.len() - first, count);
                let who = random.distinct(self.scale.connections, count);
                picks = places.into_iter().map(|place| first + place).zip(who).collect();
                picks.retain(|(group, who)| !self.members[*group].contains(who));
            }
            let groups: Vec<_> =
                picks.iter().map(|(group, _)| self.groups[*group].clone()).collect();
            let steps = groups.iter().zip(&picks).map(|(group, &(_, who))| Step { who, group });
            let steps: Vec<_> = steps.collect();
            let contender = &mut *self.contenders[place];
            if !contender.has_members() {
                return;
            }
            let (warming, steps) = steps.split_at(WARMING);
            contender.time(Task::Join, warming);
            contender.time(Task::Leave, warming);
            let task = if phase == 0 { Task::Join } else { Task::Leave };
            let (time, _) = contender.time(task, steps);
            if leave == (phase == 1) {
                timed.push(place, time, steps.len());
            }
        });
    }

    /// Lets connections go that are in random small groups, and came before those of all others.
    fn disconnect(&mut self, measurement: &mut Measurement) {
        let first = self.scale.sizes.len();
        let mut picks = Vec::new();
        let (count, random) = (self.contenders.len(), &mut self.random);
        self.scale.rounds(count, 2, measurement, |phase, place, timed| {
            if timed.is_new() {
                let each = || random.distinct(self.groups.len() - first, GROUPS_EACH);
                picks = std::iter::repeat_with(each).take(WARMING + LEAVING).collect();
            }
            let contender = &mut *self.contenders[place];
            if !contender.has_members() {
                return;
            }
            let newcomers = self.scale.connections..;
            let steps: Vec<_> = newcomers
                .zip(&picks)
                .map(|(who, _)| Step { who, group: &self.groups[0] })
                .collect();
            if phase == 0 {
                for (step, groups) in steps.iter().zip(&picks) {
                    contender.connect(step.who);
                    for group in groups {
                        contender.join(step.who, &self.groups[first + group]);
                    }
                }
                return;
            }
            let (warming, steps) = steps.split_at(WARMING);
            contender.time(Task::Disconnect, warming);
            let (time, _) = contender.time(Task::Disconnect, steps);
            timed.push(place, time, LEAVING);
        });
    }
}

impl Scale {
    /// Gives each contender its turn in each phase of a round, again and again, each time another one first; what has no
    /// time of its own in a round is not compared.
    fn rounds(
        &self,
        contenders: usize,
        phases: usize,
        measurement: &mut Measurement,
        mut turn: impl FnMut(usize, usize, &mut Measurement),
    ) {
        let start = Instant::now();
        for round in 0.. {
            if round >= self.rounds && start.elapsed() >= self.budget {
                return;
            }
            measurement.begin();
            for phase in 0..phases {
                for place in 0..contenders {
                    turn(phase, (round + place) % contenders, measurement);
                    measurement.proceed();
                }
            }
        }
    }
}

/// Requires that a publish reaches each member once.
fn require(contender: &mut dyn Contender, group: &Group, members: &[usize]) {
    let delivered = contender.publish(group);
    assert_eq!(delivered, members.len(), "{} to {}", contender.name(), group.name);
    for &who in members {
        let taken = contender.take(who).unwrap_or(1);
        assert_eq!(taken, 1, "{} to {who} in {}", contender.name(), group.name);
    }
}

fn empty(contender: &mut dyn Contender, members: &[usize]) {
    for &who in members {
        contender.take(who);
    }
}

/// Writes a number with commas between its thousands.
fn grouped(number: usize) -> String {
    if number < 1_000 {
        return number.to_string();
    }
    format!("{},{:03}", grouped(number / 1_000), number % 1_000)
}
