//! Filters: no text makes reading or evaluating one panic, and what a filter prints is read as the same one.

use arbitrary::{Arbitrary, Unstructured};
use hubcast::internals::Portrait;
use hubcast::{Filter, FilterProblem};

/// Somebody whom a filter may be asked about.
#[derive(Arbitrary, Debug)]
struct Person<'a> {
    user: Option<&'a str>,
    connection_id: &'a str,
    groups: Vec<&'a str>,
    protocol: Option<&'a str>,
}

/// Reads a text up to a zero byte, or all of it, as a filter; what follows are people to ask about.
pub fn run(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (text, rest) = data.split_at(end);
    let Ok(text) = core::str::from_utf8(text) else { return };
    let filter = match Filter::parse(text) {
        Ok(filter) => filter,
        Err(error) => {
            let shown = error.to_string();
            assert!(shown.starts_with("Invalid syntax for '"), "{shown}");
            assert!(shown.ends_with(" (Parameter 'filter')"), "{shown}");
            return;
        }
    };
    match Filter::parse(&filter.to_string()) {
        Ok(again) => assert_eq!(again, filter, "{text:?}"),
        // What is printed has parentheses that were not needed.
        Err(error) => assert!(
            matches!(error.problem(), FilterProblem::TooLong { .. }),
            "{text:?} prints {filter}: {error}"
        ),
    }

    let negated = Filter::parse(&format!("not ({text})"));
    let mut scratch = String::new();
    let nobody = Person { user: None, connection_id: "", groups: Vec::new(), protocol: None };
    let people = Vec::<Person<'_>>::arbitrary_take_rest(Unstructured::new(rest));
    for person in people.unwrap_or_default().into_iter().chain([nobody]) {
        let Person { user, connection_id, groups, protocol } = &person;
        let portrait = Portrait { user: *user, connection_id, groups, protocol: *protocol };
        let matches = portrait.matches(&filter, &mut scratch);
        assert!(scratch.is_empty(), "nothing is left behind: {text:?}");
        assert_eq!(matches, portrait.matches(&filter, &mut scratch), "{text:?}");
        if let Ok(negated) = &negated {
            assert_ne!(matches, portrait.matches(negated, &mut scratch), "{text:?}");
        }
    }
}
