//! Calls of event handlers, and commands of the server.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::{Happening, Simulation};
use crate::command::{Audience, Command, CommandError, Reply as CommandReply, SendOptions};
use crate::event::CallId;
use crate::testing::payload::Payload;
use crate::testing::reply::Reply;
use crate::testing::rules::Occurrence;

impl Simulation {
    /// Executes a command of the server.
    ///
    /// # Errors
    /// When the engine says so.
    pub fn execute(&mut self, command: Command<'_>) -> Result<CommandReply, CommandError> {
        let now = self.tell();
        let reply = self.engine.execute(command, now);
        self.observe(&Occurrence::Executed { command: &command, done: reply.is_ok() });
        self.drain();
        reply
    }

    pub(super) fn answer(&mut self, call: CallId, reply: &Reply) {
        let now = self.tell();
        let engine = &mut self.engine;
        reply.lend(|answer| engine.answer(call, answer, now));
        self.drain();
    }

    /// Publishes what a handler said, and puts its answer on the agenda.
    pub(super) fn publish(&mut self, hub: &str, messages: Vec<(String, Payload)>) {
        for (group, payload) in messages {
            let command = Command::Send {
                to: Audience::Group(hub, &group),
                data: payload.lend(),
                options: SendOptions::default(),
            };
            let now = self.tell();
            let done = self.engine.execute(command, now).is_ok();
            self.observe(&Occurrence::Executed { command: &command, done });
        }
    }

    pub(super) fn answer_later(&mut self, call: CallId, after: Duration, reply: Reply) {
        self.time.after(after, Happening::Answer(call, reply.into()));
    }
}
