//! A relay that knows only logins: it joins a device and a tool of the same id, and copies bytes.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

/// Serves for ever.
///
/// # Errors
/// If no connection can be accepted.
pub async fn serve(listener: TcpListener) -> io::Result<()> {
    let devices = Arc::new(Mutex::new(HashMap::new()));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(attend(stream, Arc::clone(&devices)));
    }
}

async fn attend(
    mut stream: TcpStream,
    devices: Arc<Mutex<HashMap<String, TcpStream>>>,
) -> io::Result<()> {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        line.push(stream.read_u8().await?);
    }
    let line = String::from_utf8_lossy(&line).into_owned();
    let mut words = line.trim().split(':');
    let (kind, id) = (words.next(), words.next().unwrap_or_default().to_owned());
    let device = {
        let mut devices = devices.lock().unwrap_or_else(PoisonError::into_inner);
        if kind == Some("VESC") {
            devices.insert(id, stream);
            return Ok(());
        }
        devices.remove(&id)
    };
    if let Some(mut device) = device {
        copy_bidirectional(&mut stream, &mut device).await?;
    }
    Ok(())
}
