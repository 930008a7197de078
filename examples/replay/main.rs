//! Steps through a journal: what happened, when, and what came of it.
//!
//! ```sh
//! cargo run --example replay -- --help
//! ```

mod options;
mod show;
mod state;
mod whose;

use std::fs;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use hubcast::Time;
use hubcast::replay::{JournalProblem, Redaction, Replay, ReplayError, Step};

use self::options::{Asked, Options};
use self::whose::Whose;

fn main() -> ExitCode {
    let options = match options::read() {
        Ok(Asked::Play(options)) => options,
        Ok(Asked::Help) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let journal = match fs::read(&options.file) {
        Ok(journal) => journal,
        Err(error) => {
            eprintln!("cannot read {}: {error}", options.file.display());
            return ExitCode::from(2);
        }
    };
    match play(&options, &journal) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever reads the output has seen enough, as in `| head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays the journal and tells whether it was good and gave what was recorded.
fn play(options: &Options, journal: &[u8]) -> io::Result<bool> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut replay = match Replay::new(journal) {
        Ok(replay) => replay,
        Err(error) => {
            explain(&error);
            return Ok(false);
        }
    };
    if options.prints_steps() {
        introduce(&mut out, &replay)?;
    }
    let mut whose = options.connection.as_deref().map(Whose::new);
    let played = steps(&mut out, options, &mut replay, &mut whose)?;
    if let Err(error) = &played {
        out.flush()?;
        explain(error);
    }
    conclude(&mut out, options, &replay)?;
    out.flush()?;
    Ok(played.is_ok() && replay.divergence().is_none())
}

/// Plays and shows the steps; what is wrong with the journal comes within.
fn steps(
    out: &mut impl Write,
    options: &Options,
    replay: &mut Replay<'_>,
    whose: &mut Option<Whose>,
) -> io::Result<Result<(), ReplayError>> {
    let mut start = None;
    loop {
        let now = match replay.next_time() {
            Ok(Some(now)) => now,
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        };
        let start = *start.get_or_insert(now);
        let number = replay.inputs() + 1;
        if options.until.as_ref().is_some_and(|until| until.is_passed(number, now, start)) {
            return Ok(Ok(()));
        }
        match replay.step() {
            Ok(Some(step)) => one_step(out, options, replay, whose, &step, start)?,
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        }
    }
}

/// Shows a step and its actions, as far as they are asked for.
fn one_step(
    out: &mut impl Write,
    options: &Options,
    replay: &mut Replay<'_>,
    whose: &mut Option<Whose>,
    step: &Step,
    start: Time,
) -> io::Result<()> {
    let mut shown = whose.as_mut().is_none_or(|it| it.concerns_step(step, replay.engine()));
    let mut actions = Vec::new();
    while let Some(action) = replay.poll_action() {
        if whose.as_mut().is_none_or(|whose| whose.concerns_action(&action)) {
            shown = true;
            if options.prints_steps() {
                let only = |key| whose.as_ref().is_none_or(|whose| whose.has(key));
                actions.push(show::action(&action, only, options.full));
            }
        }
    }
    if !shown || options.check {
        return Ok(());
    }
    if options.digests {
        return writeln!(out, "{} {} {}", step.number, step.input.name(), replay.step_digest());
    }
    writeln!(out, "{}", show::step(step, start, options.full))?;
    for action in &actions {
        writeln!(out, "    {action}")?;
    }
    Ok(())
}

fn introduce(out: &mut impl Write, replay: &Replay<'_>) -> io::Result<()> {
    let header = replay.header();
    let redaction = match header.redaction {
        Redaction::None => "whole",
        Redaction::Secrets => "without secrets; ids of connections are others than they were",
        Redaction::SecretsAndPayloads => {
            "without secrets and payloads; ids of connections are others than they were"
        }
    };
    writeln!(out, "journal of hubcast {}, {redaction}", header.crate_version)
}

fn conclude(out: &mut impl Write, options: &Options, replay: &Replay<'_>) -> io::Result<()> {
    if options.state {
        state::write(out, replay.engine())?;
    }
    if options.digests {
        writeln!(out, "total {}", replay.digest())?;
        return Ok(());
    }
    let (inputs, actions, digest) = (replay.inputs(), replay.actions(), replay.digest());
    writeln!(out, "{inputs} inputs, {actions} actions, digest {digest}")?;
    if let Some(now) = replay.truncated() {
        writeln!(
            out,
            "what happened from {now} on is missing: the journal was as long as allowed"
        )?;
    }
    match replay.divergence() {
        Some(divergence) => {
            writeln!(out, "DIFFERS: {divergence}")?;
            writeln!(
                out,
                "  Is this the version of hubcast that wrote it ({})? Look at the input with --until {}.",
                replay.header().crate_version,
                divergence.last
            )
        }
        None if options.check && replay.header().redaction != Redaction::None => writeln!(
            out,
            "as many actions as recorded; what is in them cannot be compared, because the journal is redacted"
        ),
        None if options.check => writeln!(out, "the same as recorded"),
        None => Ok(()),
    }
}

/// Says what is wrong with a journal, and what to do about it.
fn explain(error: &ReplayError) {
    eprintln!("{error}");
    let advice = match error {
        ReplayError::Config(_) => "Was the file changed? No engine was ever made with that.",
        ReplayError::Journal(error) => match error.problem {
            JournalProblem::CutOff => {
                "Everything before was played. If the program that wrote it is still running, take a new copy; \
                 if it was killed, this is all there is."
            }
            JournalProblem::NoJournal => "Is it compressed, or another file?",
            JournalProblem::Format { .. } => "Use the version of hubcast that wrote it.",
            _ => "Everything before was played. The file is damaged: get another copy.",
        },
    };
    eprintln!("{advice}");
}
