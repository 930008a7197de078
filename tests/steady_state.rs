//! Publishing allocates nothing once the engine is warm: no frame, no list of recipients, no action.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use hubcast::{
    Action, Audience, Command, Config, ConnectionKey, Data, Engine, Incoming, Open, Protocol,
    SendOptions, Time,
};

/// The system's allocator, which counts what each thread asks of it.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends may still free and allocate after its counter is gone.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches no memory of a caller.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Enough for every buffer to reach its size; the measured rounds use up several chunks of frames.
const WARM_UP: usize = 500;
const MEASURED: usize = 1_000;

const NOW: Time = Time::from_secs(1_790_000_000);

/// A group where the members speak JSON, protobuf or no protocol in turn, and a sender that is a member of it.
struct Room {
    engine: Engine,
    sender: ConnectionKey,
    sender_id: String,
    acks: u64,
}

impl Room {
    fn with(members: usize) -> Self {
        let mut engine = Engine::new(Config::new(3)).unwrap();
        let mut sender = None;
        for member in 0..members {
            let mut entropy = [1; 32];
            entropy[..8].copy_from_slice(&(member as u64).to_be_bytes());
            let key = engine.open(
                Open {
                    hub: "chat",
                    protocol: [Protocol::Json, Protocol::Protobuf, Protocol::Plain][member % 3],
                    user: Some("alice"),
                    roles: &["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"],
                    groups: &["room"],
                    entropy,
                    ..Open::default()
                },
                NOW,
            );
            sender = sender.or(Some(key));
        }
        let sender = sender.expect("somebody is there");
        let sender_id = engine.connection(sender).unwrap().id().to_string();
        let mut room = Self { engine, sender, sender_id, acks: 0 };
        room.carry_out();
        room
    }

    /// Does what a host does, but for the sending; returns how many frames were for somebody.
    fn carry_out(&mut self) -> usize {
        let mut frames = 0;
        while let Some(action) = self.engine.poll_action() {
            if let Action::Deliver(deliver) = action {
                frames += deliver.to.len();
            }
        }
        frames
    }

    fn receive(&mut self, frame: &str) -> usize {
        self.engine.receive(self.sender, Incoming::Text(frame), NOW);
        self.carry_out()
    }

    /// Fails unless an operation, repeated, allocates nothing and brings so many frames each time.
    #[track_caller]
    fn allocates_nothing(
        &mut self,
        what: &str,
        frames: usize,
        mut operation: impl FnMut(&mut Self) -> usize,
    ) {
        for _ in 0..WARM_UP {
            assert_eq!(operation(self), frames, "{what}");
        }
        let before = ALLOCATIONS.get();
        for _ in 0..MEASURED {
            operation(self);
        }
        let allocations = ALLOCATIONS.get() - before;
        assert_eq!(allocations, 0, "allocations of {MEASURED} times {what}");
    }
}

/// The data of the frames that are sent, by what it takes to decode it.
const DATA: [(&str, &str); 6] = [
    ("json", r#""data":17"#),
    ("nested json", r#""data":{"a":[1,2,{"b":"\u00e9\n"}],"c":{"d":null}}"#),
    ("text", r#""dataType":"text","data":"how do you do""#),
    ("text with escapes", r#""dataType":"text","data":"\"\u00e9\ud83e\udd80\"\n""#),
    ("binary", r#""dataType":"binary","data":"AAECAwQFBgcICQ==""#),
    ("binary with escapes", r#""dataType":"binary","data":"AAH\/""#),
];

fn clients_publish(members: usize) {
    let mut room = Room::with(members);
    for (kind, data) in DATA {
        for no_echo in [false, true] {
            let what = format!("{kind} to {members}, noEcho {no_echo}");
            let frames = members - usize::from(no_echo);
            let frame =
                format!(r#"{{"type":"sendToGroup","group":"room","noEcho":{no_echo},{data}}}"#);
            room.allocates_nothing(&what, frames, |room| room.receive(&frame));

            // The same with an ack: the number is written into the frame, as a client that counts does.
            let head = format!(
                r#"{{"type":"sendToGroup","group":"room","noEcho":{no_echo},{data},"ackId":"#
            );
            let mut frame = String::with_capacity(head.len() + 32);
            room.allocates_nothing(&format!("{what}, with acks"), frames + 1, |room| {
                use std::fmt::Write as _;
                room.acks += 1;
                frame.clear();
                write!(frame, "{head}{}}}", room.acks).unwrap();
                room.receive(&frame)
            });
        }
    }
}

/// A publish to a group of one: the sender itself.
#[test]
fn clients_publish_to_one() {
    clients_publish(1);
}

/// A publish to a few.
#[test]
fn clients_publish_to_ten() {
    clients_publish(10);
}

/// A publish to many.
#[test]
fn clients_publish_to_a_thousand() {
    clients_publish(1_000);
}

/// A publish of a protobuf client, whose messages are borrowed as those of JSON are.
#[test]
fn protobuf_clients_publish() {
    let mut room = Room::with(10);
    let open = Open {
        hub: "chat",
        protocol: Protocol::Protobuf,
        roles: &["webpubsub.sendToGroup"],
        ..Open::default()
    };
    let sender = room.engine.open(open, NOW);
    assert_eq!(room.carry_out(), 1);
    // To `room`, a text and an `Any`; neither is acknowledged.
    for frame in [
        &b"\x0a\x0c\x0a\x04room\x1a\x04\x0a\x02hi"[..],
        b"\x0a\x0d\x0a\x04room\x1a\x05\x1a\x03\x0a\x01t",
    ] {
        room.allocates_nothing("a publish in protobuf", 10, |room| {
            room.engine.receive(sender, Incoming::Binary(frame), NOW);
            room.carry_out()
        });
    }
}

/// What the server sends, to each kind of audience; one connection is left out.
#[test]
fn the_server_sends() {
    let mut room = Room::with(30);
    let sender = room.sender_id.clone();
    let stranger = "0123456789abcdef0123456789abcdef";
    let (one, several) = ([&*sender], [&*sender, stranger, "none"]);
    for except in [&[][..], &one, &several] {
        for data in [Data::Text("hi \"you\""), Data::Json("{\"a\": 1}"), Data::Binary(&[1, 2, 3])] {
            let options = SendOptions { except, ttl_seconds: 5, ..SendOptions::default() };
            for to in [
                Audience::Group("Chat", "room"),
                Audience::Hub("chat"),
                Audience::User("chat", "alice"),
            ] {
                let frames = 30 - usize::from(!except.is_empty());
                room.allocates_nothing(&format!("{data:?} to {to:?}"), frames, |room| {
                    room.engine.execute(Command::Send { to, data, options }, NOW).unwrap();
                    room.carry_out()
                });
            }
        }
    }
    let to = Audience::Connection("chat", &sender);
    room.allocates_nothing("a text to one connection", 1, |room| {
        let (data, options) = (Data::Text("hi"), SendOptions::default());
        room.engine.execute(Command::Send { to, data, options }, NOW).unwrap();
        room.carry_out()
    });
}

/// Frames and messages beside publishing: pings, joins and leaves.
#[test]
fn clients_ping_join_and_leave() {
    let mut room = Room::with(10);
    room.allocates_nothing("a ping", 1, |room| room.receive(r#"{"type":"ping"}"#));
    room.allocates_nothing("a leave and a join", 0, |room| {
        room.receive(r#"{"type":"leaveGroup","group":"room"}"#)
            + room.receive(r#"{"type":"joinGroup","group":"room"}"#)
    });
}

/// A stream with metadata: each part is acknowledged.
#[test]
fn clients_stream() {
    use std::fmt::Write as _;

    let mut room = Room::with(10);
    let start =
        r#"{"type":"sendToGroup","group":"room","metadata":{"k":"v"},"stream":{"streamId":"s"}}"#;
    assert_eq!(room.receive(start), 1);
    let (mut frame, mut sequence) = (String::with_capacity(200), 0);
    room.allocates_nothing("a part of a stream", 11, |room| {
        sequence += 1;
        frame.clear();
        write!(
            frame,
            r#"{{"type":"streamData","streamId":"s","streamSequenceId":{sequence},"dataType":"text","data":"x"}}"#
        )
        .unwrap();
        room.receive(&frame)
    });
    room.allocates_nothing("a repeated part", 1, |room| room.receive(&frame));
}

/// A filter costs no allocation for a connection, whatever it composes: many cost as few as one.
#[cfg(feature = "filter")]
#[test]
fn filters_are_evaluated() {
    use hubcast::{Filter, Reply};

    let filters = [
        "userId ne 'bob' and 'room' in groups",
        "startswith(concat(toupper(userId),connectionId),'ALICE') and length(groups) eq 1",
        "trim(substring(concat(' ',protocol),0,1)) in ('x',tolower('Y')) or true",
    ];
    for members in [1, 1_000] {
        let mut room = Room::with(members);
        for text in filters {
            let filter = Filter::parse(text).unwrap();
            let who = Audience::Matching("chat", &filter);
            let before = ALLOCATIONS.get();
            let reply = room.engine.execute(Command::Count { who }, NOW);
            let allocations = ALLOCATIONS.get() - before;
            assert_eq!(reply, Ok(Reply::Affected(members)), "{text}");
            // The scratch grows a few times, until it is as long as what is composed.
            assert!(allocations <= 4, "{allocations} for {members}: {text}");
        }
    }
}
