//! The filter language: what it says, what it refuses, and that the indexes change nothing about it.

mod errors;
mod indexes;
mod naive;
mod rules;

use hubcast::Filter;
use hubcast::internals::Portrait;
use serde_json::Value;

/// The shared vectors: what is true and false of one connection, and what is refused.
#[test]
fn vectors() {
    let vectors: Value =
        serde_json::from_str(include_str!("../vectors/odata-vectors.json")).unwrap();
    let texts = |value: &'static str| {
        let list = vectors[value].as_array().unwrap().iter();
        list.map(|text| text.as_str().unwrap()).collect::<Vec<_>>()
    };
    let connection = &vectors["connection"];
    let groups = connection["groups"].as_array().unwrap().iter();
    let groups: Vec<_> = groups.map(|group| group.as_str().unwrap()).collect();
    let portrait = Portrait {
        user: connection["userId"].as_str(),
        connection_id: connection["connectionId"].as_str().unwrap(),
        groups: &groups,
        protocol: connection["protocol"].as_str(),
    };
    for (name, expected) in [("true", true), ("false", false)] {
        for text in texts(name) {
            let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(portrait.matches(&filter, &mut String::new()), expected, "{text}");
        }
    }
    for text in texts("error_400") {
        assert!(Filter::parse(text).is_err(), "{text}");
    }
}
