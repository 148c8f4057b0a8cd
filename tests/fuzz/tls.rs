//! A producer that is asked over TLS, and secrets that stay secret whatever the producer does with them.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::program::{Folder, Ran, ran};

/// Starts a server with a certificate of a company's own, and returns its address and the company's certificate. Its
/// answers are unfinished turns, or errors for inputs of few letters, with all that it was told in them.
fn serve() -> (String, String) {
    let mut company = CertificateParams::new(Vec::new()).expect("no names");
    company.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let company_key = KeyPair::generate().expect("a key");
    let certificate = company.self_signed(&company_key).expect("it can be signed").pem();
    let issuer = Issuer::new(company, company_key);
    let key = KeyPair::generate().expect("a key");
    let own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name").signed_by(&key, &issuer);
    let own = own.expect("it can be signed").der().clone();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("they are supported")
        .with_no_client_auth()
        .with_single_cert(vec![own], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
        .expect("the key is that of the certificate");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("https://{}/chat", listener.local_addr().expect("it listens"));
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let config = config.clone();
            thread::spawn(move || {
                let server = ServerConnection::new(config).expect("the settings are right");
                let mut stream = BufReader::new(StreamOwned::new(server, connection));
                // A client that does not trust the certificate hangs up.
                let _ = answer(&mut stream);
            });
        }
    });
    (address, certificate)
}

fn answer(stream: &mut BufReader<StreamOwned<ServerConnection, std::net::TcpStream>>) -> std::io::Result<()> {
    loop {
        let (mut head, mut length) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_owned();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            head.push(line);
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        let told = head.join("; ").replace(['"', '\\'], "");
        let event = format!(
            r#"{{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","payload":{{"session_id":"ses_1","pending":true,"status_label":"thinking","told":"{told}"}}}}"#
        );
        let (status, text) = if length < 3 { ("500 No", told) } else { ("200 OK", event + "\n") };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        stream.get_mut().write_all(answer.as_bytes())?;
    }
}

/// Runs the program with the certificates of a file, and with a secret in a variable.
fn run(folder: &Folder, arguments: &[&str], certificates: Option<&str>) -> Ran {
    let mut command: Command = folder.command(arguments);
    command.env("OUR_TOKEN", "Bearer sk-from-env-1234").env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    if let Some(file) = certificates {
        command.env("SSL_CERT_FILE", file);
    }
    ran(command)
}

/// Returns the texts of all files below a folder, with their names.
fn texts(folder: &Path, all: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            texts(&path, all);
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path).expect("readable")).into_owned();
            all.push((path.display().to_string(), text));
        }
    }
}

#[test]
fn a_server_is_asked_over_tls_and_secrets_are_kept_nowhere() {
    let folder = Folder::new();
    let (url, certificate) = serve();
    folder.write("ca.pem", &certificate);
    let given = ["fuzz", "--url", &url, "--header-env", "X-Trace=OUR_TOKEN", "--header", "X-Api-Key: sk-given-5678"];
    let options = ["--method", "PUT", "--cases", "60", "--format", "human", "--format", "json=report.json"];
    let found = run(&folder, &[&given[..], &options].concat(), Some("ca.pem"));
    assert_eq!(found.code, 1, "{}{}", found.out, found.err);
    let mut all = vec![("out".to_owned(), found.out), ("err".to_owned(), found.err)];
    texts(folder.path(), &mut all);
    let kept = |name: &str| all.iter().filter(|(path, _)| path.ends_with(name)).count();
    assert!(kept("case.toml") > 1 && kept("stderr") > 0 && kept("report.json") == 1, "an error and a finding are kept");
    assert!(all.iter().any(|(_, text)| text.contains("x-trace: Bearer ****")), "the server has sent everything back");
    for (path, text) in &all {
        for secret in ["sk-from-env", "1234", "sk-given", "5678"] {
            assert!(!text.contains(secret) || path.ends_with("ca.pem"), "{secret} is in {path}: {text}");
        }
    }
    let case =
        all.iter().find(|(path, _)| path.ends_with("case.toml")).map(|(_, text)| text.as_str()).expect("there is one");
    assert!(case.contains("--header-env 'X-Trace=OUR_TOKEN'") && case.contains("method = \"PUT\""), "{case}");
    let replay = ["fuzz", "--replay", "sessionlint-failures", "--header", "X-Api-Key: other"];
    let without = run(&folder, &replay, Some("ca.pem"));
    assert_eq!(without.code, 2, "{}", without.out);
    assert!(without.err.contains("the header X-Trace, whose value is not saved"), "{}", without.err);
    let with = run(&folder, &[&replay[..], &["--header-env", "X-Trace=OUR_TOKEN"]].concat(), Some("ca.pem"));
    assert_eq!(with.code, 1, "{}{}", with.out, with.err);
}

#[test]
fn a_certificate_that_is_not_trusted_is_named() {
    let folder = Folder::new();
    let (url, _) = serve();
    let (_, other) = serve();
    folder.write("other.pem", other);
    for certificates in [None, Some("other.pem")] {
        let refused = run(&folder, &["fuzz", "--url", &url, "--cases", "5"], certificates);
        assert_eq!(refused.code, 2, "{}{}", refused.out, refused.err);
        assert!(refused.err.contains("certificate") && refused.err.contains("SSL_CERT_FILE"), "{}", refused.err);
    }
    let missing = run(&folder, &["fuzz", "--url", &url, "--cases", "5"], Some("missing.pem"));
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("name no certificate that can be read"), "{}", missing.err);
}

#[test]
fn what_headers_come_from_is_checked_without_being_repeated() {
    let folder = Folder::new();
    let fuzz =
        |arguments: &[&str]| run(&folder, &[&["fuzz", "--url", "https://127.0.0.1:9/"], arguments].concat(), None).err;
    assert!(fuzz(&["--header-env", "A=NOT_THERE"]).contains("variable NOT_THERE of --header-env is not set"));
    let wrong = fuzz(&["--header-env", "Authorization: sk-secret"]);
    assert!(wrong.contains("write it as NAME=VARIABLE"), "{wrong}");
    let method = fuzz(&["--method", "GET"]);
    assert!(method.contains("GET is no method for this: the input is the body of a POST, PUT or PATCH"), "{method}");
    let command = ran(folder.command(["fuzz", "--method", "PUT", "--", "cat"])).err;
    assert!(command.contains("--method is for requests"), "{command}");
}
