//! The load generator, against the server.

use std::process::{Output, Stdio};

use futures_util::future::join_all;
use serde_json::Value;
use tokio::net::TcpSocket;
use tokio::process::Command;
use tokio::time::timeout;

use super::support::{ConfigFile, PATIENCE, Server, example};

// Their own tests run here, because an example that is built as a test is not built as a program.
#[path = "../../examples/load/frame.rs"]
mod frame;
#[path = "../../examples/load/stamp.rs"]
mod stamp;
#[path = "../../examples/load/timetable.rs"]
mod timetable;

/// Connections that listen in whatever protocol get every message, and the figures fit together.
#[tokio::test]
async fn nothing_is_lost() {
    let server = Server::start(&[]).await;
    let runs = ["json", "reliable-json", "protobuf", "plain"].map(|protocol| {
        let flags = "--connections 30 --groups 7 --senders 3 --rate 350 --duration 1 --warm-up 1";
        load(&server, format!("{flags} --threads 2 --protocol {protocol}"))
    });
    for (status, result) in join_all(runs).await {
        assert_eq!(status, 0, "{result}");
        // 350 messages, 50 to each group, so 50 to each connection.
        assert_eq!((&result["sent"], &result["unsent"]), (&350.into(), &0.into()), "{result}");
        assert_eq!((&result["delivered"], &result["lost"]), (&1_500.into(), &0.into()), "{result}");
        assert_eq!(result["closed"], 0);
        for times in ["latency_us", "sent_late_us"] {
            let [p50, p90, p99, p999, max] =
                ["p50", "p90", "p99", "p999", "max"].map(|name| result[times][name].as_u64());
            assert!(p50 <= p90 && p90 <= p99 && p99 <= p999 && p999 <= max, "{result}");
            // A unit that is mixed up would make a second of a millisecond.
            assert!(p50.is_some_and(|p50| p50 < 60_000_000), "{result}");
        }
        assert!(result["latency_us"]["p50"].as_u64() > Some(0), "{result}");
        let rate = result["deliveries_per_s"].as_f64();
        assert!(rate.is_some_and(|rate| rate > 0.0 && rate <= 1_500.0), "{result}");
        assert!(result["connects_per_s"].as_f64() > Some(0.0), "{result}");
        if cfg!(target_os = "linux") {
            assert!(result["server_memory"]["connected_bytes"].as_u64() > Some(0), "{result}");
            assert!(result["server_cpu"]["delivery_us"].is_number(), "{result}");
        }
    }
}

/// Clients of a reliable protocol acknowledge: without that the server gives them up after 1,000 messages.
#[tokio::test]
async fn reliable_clients_acknowledge() {
    let server = Server::start(&[]).await;
    let flags =
        "--connections 1 --groups 1 --rate 1500 --duration 1 --warm-up 0 --protocol reliable-json";
    let (status, result) = load(&server, flags.to_owned()).await;
    assert_eq!((status, &result["delivered"]), (0, &1_500.into()), "{result}");
}

/// What does not arrive is counted and makes another exit code.
#[tokio::test]
async fn losses_are_counted() {
    // Those who listen say nothing, so they are closed.
    let file = ConfigFile::new("load", "[hubs.load]\nlimits = { idle_timeout = 2 }\n");
    let server = Server::start(&["--config", file.path()]).await;
    let flags = "--connections 5 --groups 1 --senders 1 --rate 100 --duration 3 --warm-up 0";
    let (status, result) = load(&server, flags.to_owned()).await;
    assert_eq!((status, &result["closed"]), (1, &5.into()), "{result}");
    assert_eq!(result["sent"], 300);
    let [delivered, lost] = ["delivered", "lost"].map(|name| result[name].as_u64().expect("one"));
    assert!(lost > 0 && delivered + lost == 1_500, "{result}");
}

/// Whoever connects and does not send gets figures too, without latencies.
#[tokio::test]
async fn no_messages() {
    let server = Server::start(&[]).await;
    let flags = "--connections 5 --groups 5 --senders 1 --rate 0 --duration 1 --warm-up 0";
    let (status, result) = load(&server, flags.to_owned()).await;
    assert_eq!((status, &result["delivered"]), (0, &0.into()), "{result}");
    assert_eq!(result["latency_us"]["p50"], Value::Null);
}

/// An error is one line that says what is wrong and what to do.
#[tokio::test]
async fn errors() {
    let server = Server::start(&[]).await;
    let endpoint = format!("--endpoint http://{}", server.address);
    // It has a port and does not listen.
    let deaf = TcpSocket::new_v4().expect("a socket");
    deaf.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let nobody = format!("--endpoint http://{}", deaf.local_addr().expect("an address"));
    let wrong_key = format!("{endpoint} --access-key {}", "x".repeat(32));
    let other = format!("{endpoint} --hub a/b");
    for (flags, says) in [
        (nobody.as_str(), "start it with cargo run"),
        (&wrong_key, "--access-key"),
        (&other, "hub"),
        ("--endpoint https://localhost", "TLS"),
        ("--endpoint http://127.0.0.1:99999", "--endpoint"),
        ("--connections 10 --groups 11", "--groups 11"),
        ("--payload 16", "17"),
        ("--protocol xml", "reliable-json"),
        ("--rate many", "--rate many"),
        ("--connection-string Endpoint=http://localhost", "AccessKey"),
        ("--server-pid 4294967295", "--server-pid"),
        ("--speed 3", "--help"),
        ("fast", "--help"),
    ] {
        let Output { status, stdout, stderr } = run(flags).await;
        let stderr = String::from_utf8(stderr).expect("UTF-8");
        assert_eq!(status.code(), Some(2), "{flags}: {stderr}");
        assert!(stderr.contains(says), "{flags}: {stderr}");
        assert_eq!((stderr.lines().count(), stdout.len()), (1, 0), "{flags}: {stderr}");
    }
}

/// A limit of open files that is too low is found before anything is opened.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn too_few_files() {
    let mut shell = Command::new("sh");
    let load = example("load");
    shell.args(["-c", r#"ulimit -n 100 && exec "$0" --connections 200"#]);
    shell.arg(load.as_std().get_program()).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(PATIENCE, shell.output()).await.expect("in time").expect("it starts");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("may open 100 files") && stderr.contains("ulimit -n 274"), "{stderr}");
}

/// The help shows every flag, and people get the same figures as scripts.
#[tokio::test]
async fn for_people() {
    let Output { status, stdout, .. } = run("--help").await;
    assert_eq!(status.code(), Some(0));
    assert!(String::from_utf8(stdout).expect("UTF-8").contains("--server-pid PID"));

    let server = Server::start(&[]).await;
    let connection_string = format!(
        "Endpoint=http://{};AccessKey={};Version=1.0;",
        server.address,
        super::support::ACCESS_KEY
    );
    let flags = "--connections 2 --groups 1 --rate 10 --duration 2 --warm-up 0 --connection-string";
    let Output { status, stdout, stderr } = run(&format!("{flags} {connection_string}")).await;
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert_eq!(status.code(), Some(0), "{stdout}{stderr}");
    for says in ["20 of 20 messages", "40 in all", "0 of 40 deliveries", "p99.9"] {
        assert!(stdout.contains(says), "{says}: {stdout}");
    }
    assert!(stderr.contains("received"), "{stderr}");
}

/// Runs the load generator against a server and returns its exit code and its result.
async fn load(server: &Server, flags: String) -> (i32, Value) {
    let (address, process) = (server.address, server.process());
    let observed =
        if cfg!(target_os = "linux") { format!("--server-pid {process}") } else { String::new() };
    let flags = format!("--endpoint http://{address} --json {observed} {flags}");
    let Output { status, stdout, stderr } = run(&flags).await;
    let result = serde_json::from_slice(&stdout)
        .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&stderr)));
    (status.code().expect("an exit code"), result)
}

async fn run(flags: &str) -> Output {
    let mut command = example("load");
    command.args(flags.split_whitespace()).stdin(Stdio::null()).kill_on_drop(true);
    timeout(PATIENCE, command.output()).await.expect("it ends in time").expect("it starts")
}
