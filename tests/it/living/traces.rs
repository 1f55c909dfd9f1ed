//! Traces as a collector gets them: within the trace that a request came with, under names that tell, the last ones at the end;
//! and a collector that is away costs nobody anything.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use super::client::Client;
use super::server::Place;

/// What a collector was sent: the head, in lower case, and the body of each batch.
type Batch = (String, Vec<u8>);

/// Takes batches until nobody listens to what came.
fn collector() -> (String, Receiver<Batch>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/v1/traces", listener.local_addr().expect("an address"));
    let (came, batches) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).expect("a line");
                let line = line.trim_end().to_ascii_lowercase();
                if let Some(bytes) = line.strip_prefix("content-length:") {
                    length = bytes.trim().parse().expect("a number");
                }
                if line.is_empty() {
                    break;
                }
                head.push_str(&line);
                head.push('\n');
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).expect("a body");
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.get_mut().write_all(answer.as_bytes()).expect("an answer");
            if came.send((head, body)).is_err() {
                return;
            }
        }
    });
    (address, batches)
}

fn place(folder: &std::path::Path, address: &str) -> Place {
    let mut place = Place::new(folder, None);
    for setting in [
        "log.level=info",
        &format!("log.traces={address}"),
        "log.traces_header=X-Key: a secret",
    ] {
        place.settings.push(setting.to_owned());
    }
    place
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|part| part == wanted)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_sent_what_happens_within_a_trace() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, batches) = collector();
    let place = place(folder.path(), &address);
    let server = place.serve();
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let asked = reqwest::Client::new()
        .get(format!("{}/types", server.url))
        .header("traceparent", parent);
    let answer = asked.send().await.expect("an answer");
    let told = answer.headers()["traceparent"].to_str().expect("a header").to_owned();
    let ours = told.split('-').nth(2).expect("our part").to_owned();
    let client = Client::new(&place, &server);
    let import = client.import(3).await;
    client.imported(&import, 3).await;
    assert_eq!(server.stop(), Some(0));
    let all: Vec<Batch> = batches.try_iter().collect();
    assert!(!all.is_empty(), "the end of the process sends what is left");
    for (head, _) in &all {
        assert!(
            head.contains("post /v1/traces")
                && head.contains("application/x-protobuf")
                && head.contains("x-key: a secret"),
            "{head}"
        );
    }
    let body: Vec<u8> = all.into_iter().flat_map(|(_, body)| body).collect();
    let bytes = |hex: &str| -> Vec<u8> {
        let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
        (0..hex.len()).step_by(2).map(digits).collect()
    };
    for (what, wanted) in [
        ("the trace it came with", bytes("4bf92f3577b34da6a3ce929d0e0e4736")),
        ("whom it follows", bytes("00f067aa0ba902b7")),
        ("the part that the answer names", bytes(&ours)),
        ("its name", b"GET /types".to_vec()),
        ("a job", b"job ".to_vec()),
        ("whose it is", b"vitrine".to_vec()),
    ] {
        assert!(holds(&body, &wanted), "{what} is not told");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_costs_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    // Nobody listens there any more.
    let address = TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("an address");
    let place = place(folder.path(), &format!("http://{address}/v1/traces"));
    let server = place.serve();
    let client = Client::new(&place, &server);
    for _ in 0..20 {
        assert_eq!(client.get("/api/me").await.0, 200);
    }
    assert_eq!(server.stop(), Some(0));
    let logs = place.fine(&["logs", "--level", "warn"]);
    assert_eq!(logs.matches("takes no traces").count(), 1, "it is said once: {logs}");
    let shown = place.fine(&["config", "show"]);
    assert!(
        shown.contains("traces_header") && !shown.contains("a secret"),
        "{shown}"
    );
}
