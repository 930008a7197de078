//! The token vectors of the specification.

#![cfg(feature = "rest")]

use hubcast::Time;
use hubcast::rest::handshake;
use hubcast::token::{AccessKey, AccessKeys, RestAudience, verify_rest};
use serde_json::Value;

const HOST: &str = "localhost:8080";
const NOW: Time = Time::from_secs(1_790_000_000);

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/auth-vectors.json")).unwrap()
}

#[test]
fn client_vectors() {
    let vectors = vectors();
    for vector in vectors["client_tokens"].as_array().unwrap() {
        let uri = format!(
            "http://{HOST}/client/hubs/chat?access_token={}",
            vector["token"].as_str().unwrap()
        );
        let request = http::Request::get(uri)
            .header("host", HOST)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let (request, ()) = request.body(()).unwrap().into_parts();
        let outcome = match handshake(&request, &keys(&vectors), NOW) {
            Ok(_) => "101".to_owned(),
            Err(refused) if refused.body().is_empty() => refused.status().as_str().to_owned(),
            Err(refused) => {
                let body = std::str::from_utf8(refused.body()).unwrap();
                format!("{} '{body}'", refused.status().as_str())
            }
        };
        assert_eq!(outcome, vector["expect"].as_str().unwrap(), "{}", vector["name"]);
    }
}

#[test]
fn rest_vectors() {
    let vectors = vectors();
    for vector in vectors["rest_tokens"].as_array().unwrap() {
        let request = vector["request"].as_str().unwrap();
        let uri: http::Uri = request.split_once(' ').unwrap().1.parse().unwrap();
        let audience = RestAudience { host: uri.authority().unwrap().as_str(), path: uri.path() };
        let result = verify_rest(vector["token"].as_str().unwrap(), &keys(&vectors), audience, NOW);
        assert_eq!(result.is_ok(), vector["expect"] == "not 401", "{}", vector["name"]);
    }
}

#[test]
fn signature_vectors() {
    for vector in vectors()["ce_signature"].as_array().unwrap() {
        let key = |name: &str| AccessKey::new(vector[name].as_str().unwrap()).unwrap();
        let keys = AccessKeys { primary: key("primary"), secondary: Some(key("secondary")) };
        let header = keys.signature(vector["connectionId"].as_str().unwrap());
        assert_eq!(header, vector["header"].as_str().unwrap());
    }
}

fn keys(vectors: &Value) -> AccessKeys {
    AccessKeys::from(AccessKey::new(vectors["access_key"].as_str().unwrap()).unwrap())
}
