//! What a request of the REST API costs, from the request to the actions.
//!
//! `cargo bench --bench api`. Times of a shared machine are only good as ratios within one run: compare with the rows
//! named `floor`.

#[path = "support/world.rs"]
mod world;

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::Request;
use hubcast::rest::{Api, Trusted};
use hubcast::token::{AccessKey, AccessKeys, mint_rest};
use hubcast::{Action, Audience, Command, Data, Reply, SendOptions, Time};
use world::{World, drain};

const NOW: Time = Time::from_secs(1_790_000_000);
const KEY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH";
const URL: &str =
    "http://localhost:8080/api/hubs/bench/groups/thousand/:send?api-version=2024-12-01";

/// 128 bytes of JSON.
const JSON: &str = concat!(
    r#"{"kind":"position","player":"alice","x":1024.25,"y":-512.75,"z":64.5,"heading":270,"#,
    r#""speed":12.5,"zone":"harbour","tick":1234567}"#
);

/// A message to a group of 1,000: the command alone, with the request around it, and with its token.
fn all(criterion: &mut Criterion) {
    let mut world = World::build(1_000, 0);
    let everybody = Audience::Hub("bench");
    let join = Command::Join { who: everybody, groups: &["thousand"] };
    let joined = world.engine.execute(join, NOW);
    assert_eq!(joined, Ok(Reply::Affected(world.keys.len())));
    drain(&mut world.engine);

    let api = Api::new(AccessKeys::from(AccessKey::new(KEY).expect("it is long enough")));
    assert_eq!(api.serve(&mut world.engine, &request(&api.keys), NOW).status(), 202);
    let Some(Action::Deliver(deliver)) = world.engine.poll_action() else { panic!("it is sent") };
    assert_eq!(deliver.to.len(), 1_000);

    let mut group = criterion.benchmark_group("REST: send to a group of 1,000");
    group.bench_function("floor: the command", |bencher| {
        let to = Audience::Group("bench", "thousand");
        bencher.iter(|| {
            let data = Data::Json(black_box(JSON));
            let send = Command::Send { to, data, options: SendOptions::default() };
            world.engine.execute(send, NOW).expect("good data");
            drain(&mut world.engine)
        });
    });
    let mut trusted = request(&api.keys);
    trusted.extensions_mut().insert(Trusted);
    for (name, request) in
        [("a trusted request", trusted), ("a signed request", request(&api.keys))]
    {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let response = api.serve(&mut world.engine, black_box(&request), NOW);
                assert_eq!(response.status(), 202);
                drain(&mut world.engine)
            });
        });
    }
}

fn request(keys: &AccessKeys) -> Request<Bytes> {
    let token = mint_rest(URL, Duration::from_secs(60), keys, NOW).expect("a good URL");
    Request::post(URL)
        .header("host", "localhost:8080")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .header("content-length", JSON.len())
        .body(Bytes::from_static(JSON.as_bytes()))
        .expect("a good request")
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = all
}
criterion_main!(benches);
