//! Bodies that are too long for a table.

use bytes::Bytes;
use http::Request;
use hubcast::rest::{Api, Trusted};
use hubcast::{Audience, Command, Config, Engine, Open, Reply};

use crate::request::{NOW, keys};

/// A body with as many groups as fit is refused as a whole where a connection may be in fewer. Comparing each name with
/// each other one would take most of a minute.
#[test]
fn too_many_groups_change_nothing() {
    let mut config = Config::new(1);
    config.limits.groups_per_connection = 1_000;
    let mut engine = Engine::new(config).unwrap();
    engine.open(Open { hub: "chat", ..Open::default() }, NOW);
    let names: Vec<_> = (0..100_000).map(|number| format!("\"g{number}\"")).collect();
    let body = Bytes::from(format!("{{\"groups\":[{}]}}", names.join(",")));
    let mut request = Request::post("/api/hubs/chat/:addToGroups")
        .header("content-type", "application/json")
        .header("content-length", body.len())
        .body(body)
        .unwrap();
    request.extensions_mut().insert(Trusted);
    let response = Api::new(keys()).serve(&mut engine, &request, NOW);
    assert_eq!(response.status(), 409);
    let exists = Command::Exists { who: Audience::Group("chat", "g0") };
    assert_eq!(engine.execute(exists, NOW), Ok(Reply::Is(false)));
}
