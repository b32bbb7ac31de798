//! The built page on a local port.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use anyhow::{Context, Result};
use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// Serves a folder until the program is stopped, to this machine alone.
///
/// # Errors
/// No port can be listened at.
pub fn serve(folder: &Path, port: u16) -> Result<()> {
    let listener = listen(port)?;
    println!("\nThe page is at http://{}/ (end with Ctrl-C)", listener.local_addr()?);
    answer(listener, folder)
}

/// The port that is asked for, or any free one where another program has it.
fn listen(port: u16) -> Result<TcpListener> {
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            println!("Port {port} is taken; taking another.");
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        }
        bound => bound,
    };
    listener.with_context(|| format!("cannot listen at port {port}"))
}

fn answer(listener: TcpListener, folder: &Path) -> Result<()> {
    // A page just built must not be hidden by one seen before.
    let fresh = SetResponseHeaderLayer::overriding(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let files = Router::new().fallback_service(ServeDir::new(folder)).layer(fresh);
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        Ok(axum::serve(listener, files).await?)
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};
    use std::{fs, thread};

    use super::*;

    fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).expect("a server");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer.to_lowercase()
    }

    #[test]
    fn files_have_their_types_and_are_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["index.html", "froc.js", "froc_bg.wasm"] {
            fs::write(folder.path().join(name), "x").expect("a file");
        }
        let listener = listen(0).expect("a port");
        let address = listener.local_addr().expect("an address");
        let served = folder.path().to_owned();
        thread::spawn(move || answer(listener, &served));
        for (path, kind) in [("/", "text/html"), ("/froc.js", "text/javascript"), ("/froc_bg.wasm", "application/wasm")]
        {
            let answer = get(address, path);
            assert!(answer.starts_with("http/1.1 200"), "{answer}");
            assert!(answer.contains(&format!("content-type: {kind}")), "{answer}");
            assert!(answer.contains("cache-control: no-store"), "{answer}");
        }
        assert!(get(address, "/../Cargo.toml").starts_with("http/1.1 404"));
    }

    #[test]
    fn a_taken_port_is_no_obstacle() {
        let first = listen(0).expect("a port").local_addr().expect("an address").port();
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).expect("the port");
        let second = listen(first).expect("another port").local_addr().expect("an address").port();
        assert_ne!(first, second);
        drop(taken);
    }
}
