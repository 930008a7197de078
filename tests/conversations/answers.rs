//! What is told when something is asked, as text.

use std::fmt::Write as _;

use hubcast::{CommandError, ConnectionView, Drops, Explanation, Fate, Reply};

use super::show::{Names, moment, put, words};

impl Names {
    pub(crate) fn reply(&self, reply: &Result<Reply, CommandError>) -> String {
        let shown = match reply {
            Err(error) => format!("! {error}"),
            Ok(Reply::Done) => "= done".into(),
            Ok(Reply::Affected(count)) => format!("= {count}"),
            Ok(Reply::Is(answer)) => format!("= {answer}"),
            Ok(Reply::Members(page)) => {
                let members = page.members.iter().map(|member| {
                    let mut shown = member.connection_id.to_string();
                    put(&mut shown, "user", member.user.as_deref());
                    shown
                });
                let more = page.more.then(|| "more".to_owned());
                let shown: Vec<_> = members.chain(more).collect();
                if shown.is_empty() { "= nobody".into() } else { format!("= {}", shown.join(", ")) }
            }
            Ok(other) => panic!("a reply that nobody knows how to show: {other:?}"),
        };
        self.abridge(&shown)
    }

    pub(crate) fn explanation(&self, said: &Result<Explanation, CommandError>) -> String {
        let explanation = match said {
            Ok(explanation) => explanation,
            Err(error) => return self.abridge(&format!("! {error}")),
        };
        let fates = explanation.verdicts.iter().map(|verdict| {
            let until = |until: Option<_>| until.map(moment);
            let (fate, until) = match verdict.fate {
                Fate::Paused { until: time } => ("Paused".to_owned(), until(time)),
                Fate::Detached { until: time } => ("Detached".to_owned(), until(time)),
                other => (format!("{other:?}"), None),
            };
            let mut shown = format!("{}={fate}", self.of(verdict.connection));
            put(&mut shown, "until", until.as_deref());
            shown
        });
        let fates: Vec<_> = fates.collect();
        if fates.is_empty() { "= nobody".into() } else { format!("= {}", fates.join(", ")) }
    }

    pub(crate) fn view(&self, view: Option<ConnectionView<'_>>) -> String {
        let Some(view) = view else { return "= gone".into() };
        let phase = if view.is_open() { "open" } else { "handshaking" };
        let mut shown = format!("= {phase} {:?}", view.protocol());
        put(&mut shown, "hub", Some(view.hub()));
        put(&mut shown, "user", view.user());
        put(&mut shown, "subprotocol", view.subprotocol());
        let mut groups: Vec<_> = view.groups().collect();
        groups.sort_unstable();
        put(&mut shown, "groups", Some(&groups.join(",")));
        put(&mut shown, "state", view.state());
        put(&mut shown, "queued", Some(&view.queued().to_string()));
        put(&mut shown, "heard", Some(&moment(view.heard())));
        for (name, is) in [("detached", view.is_detached()), ("paused", view.is_paused())] {
            if is {
                shown = words([&shown, name]);
            }
        }
        for (name, count) in
            [("unacknowledged", view.unacknowledged()), ("waiting", view.waiting())]
        {
            if count > 0 {
                let _ = write!(shown, " {name}={count}");
            }
        }
        let Drops { newest, oldest, superseded, expired, ended } = view.drops();
        for (name, count) in [
            ("newest", newest),
            ("oldest", oldest),
            ("superseded", superseded),
            ("expired", expired),
            ("ended", ended),
        ] {
            if count > 0 {
                let _ = write!(shown, " drops.{name}={count}");
            }
        }
        self.abridge(&shown)
    }
}
