//! WebSocket connections at the level of frames (RFC 6455).
//!
//! The HTTP library transfers the opening handshake and hands the connection over when it is answered with 101; from then on
//! nothing happens by itself: no ping is answered, nothing is read that is not asked for, so that a peer can be left waiting.
//! A frame's content shares the memory it was read into. A stream is told to the recorder as one exchange when it is over.

mod codec;
mod handshake;
mod log;

pub use codec::octets;
pub use log::{Ending, Log, Noted};

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use futures_util::FutureExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep_until, timeout},
};

use self::codec::Reader;
use super::{Streamed, Wire, connect::Transport};
use crate::exchange::{End, Frame, Handshake, Headers, Loss, Outgoing, Received, Request};

/// So many frames are given out at once.
const FRAMES: usize = 1_024;
/// So many octets are read before frames are given out, unless a single one is larger.
const OCTETS: usize = 1 << 20;
/// So much is read of what a peer still sends when the connection is closed: what is left unread turns a FIN into a RST.
const DRAINED: usize = 1 << 20;
/// How long is waited for that, and for the last octets to leave.
const PARTING: Duration = Duration::from_millis(250);

/// A connection. Dropping it closes it (TCP FIN).
pub struct Stream {
    wire: Arc<Wire>,
    transport: Option<Box<dyn Transport>>,
    reader: Reader,
    /// What is not yet handed over: sending may be given up half-way.
    out: BytesMut,
    /// How the peer ended it.
    ended: Option<End>,
    /// How sending says that it ended. What came before that can still be read; the reason is told only once.
    unheard: Option<End>,
    handshake: Handshake,
    about: About,
    log: Log,
}

/// What the recorder is told of the handshake.
struct About {
    request: Request,
    url: url::Url,
    headers: Headers,
    version: &'static str,
    remote: Option<SocketAddr>,
}

impl Stream {
    /// How the opening handshake was answered.
    pub fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// Waits until this instant for frames and adds those that are there, at most 1,024. Giving it up loses nothing.
    pub async fn receive(&mut self, frames: &mut Vec<Frame>, until: Duration) -> Received {
        loop {
            if self.take(frames) {
                return Received::Frames;
            }
            if let Some(end) = &self.ended {
                return Received::Ended(end.clone());
            }
            if self.wire.stopping() {
                return Received::Stopped;
            }
            let deadline = self.wire.start + until.min(self.wire.limits.duration.0);
            let Some(transport) = &mut self.transport else { return Received::Ended(End::Closed) };
            let read = tokio::select! {
                biased;
                read = transport.read_buf(self.reader.room()) => Some(read),
                () = self.wire.cancel.cancelled() => None,
                () = sleep_until(deadline) => None,
            };
            match read {
                Some(read) => self.came(read),
                None if self.wire.stopping() => return Received::Stopped,
                None => return Received::Quiet,
            }
        }
    }

    /// Sends a frame within the time of an exchange. What could not be handed over, because this was given up, goes first
    /// the next time.
    pub async fn send(&mut self, frame: Outgoing) -> Result<(), End> {
        codec::write(&frame, &mut self.out);
        let at = self.wire.now();
        self.log.note(
            Noted {
                at,
                ours: true,
                fin: frame.fin,
                rsv: frame.rsv,
                masked: frame.masked,
                opcode: frame.opcode,
                length: frame.payload.len() as u64,
                head: Vec::new(),
            },
            &frame.payload,
        );
        let (limits, peer) = (&self.wire.limits, &self.wire.peer);
        let left = limits.duration.0.saturating_sub(at).min(limits.timeout.0);
        let Some(transport) = &mut self.transport else { return Err(End::Closed) };
        let sent = tokio::select! {
            biased;
            sent = timeout(left, hand_over(transport, &mut self.out)) => sent.ok(),
            () = self.wire.cancel.cancelled() => None,
        };
        match sent {
            Some(Ok(())) => Ok(()),
            Some(Err(why)) => Err(self.unheard.get_or_insert(end(&why)).clone()),
            None => Err(End::Broken(format!("{peer} did not take what was sent in time"))),
        }
    }

    /// Gives the connection up on purpose.
    pub async fn lose(mut self, loss: Loss) {
        let Some(mut transport) = self.transport.take() else { return };
        let at = self.wire.now();
        match loss {
            Loss::Closed => {
                self.log.end(at, true, End::Closed);
                let parting = async {
                    let _ = transport.shutdown().await;
                    let (mut room, mut left) = (vec![0; 16 << 10], DRAINED);
                    while let Ok(read @ 1..) = transport.read(&mut room).await
                        && read < left
                    {
                        left -= read;
                    }
                };
                let _ = timeout(PARTING, parting).await;
            }
            Loss::Reset(octets) => {
                self.log.end(at, true, End::Reset);
                let parting = async {
                    let _ = transport.write_all(&octets).await;
                    let _ = transport.flush().await;
                };
                let _ = timeout(PARTING, parting).await;
                let _ = transport.tcp().set_zero_linger();
            }
        }
    }

    /// Takes what came apart, and reads on while more is there at once.
    fn take(&mut self, frames: &mut Vec<Frame>) -> bool {
        let before = frames.len();
        let mut octets = 0;
        loop {
            while frames.len() - before < FRAMES && octets < OCTETS {
                match self.reader.next() {
                    Ok(Some(frame)) => {
                        self.note(&frame);
                        octets += frame.payload.len();
                        frames.push(frame);
                    }
                    Ok(None) => break,
                    Err(why) => {
                        self.finish(End::Broken(why));
                        return frames.len() > before;
                    }
                }
            }
            let many = frames.len() - before;
            if many == 0 || many >= FRAMES || octets >= OCTETS || self.ended.is_some() {
                return many > 0;
            }
            let Some(transport) = &mut self.transport else { return many > 0 };
            match transport.read_buf(self.reader.room()).now_or_never() {
                Some(read) => self.came(read),
                None => return true,
            }
        }
    }

    /// Takes note of what reading came to.
    fn came(&mut self, read: io::Result<usize>) {
        match read {
            Ok(0) => self.finish(self.unheard.clone().unwrap_or(End::Closed)),
            Ok(_) => self.reader.at = self.wire.now(),
            Err(why) => self.finish(end(&why)),
        }
    }

    fn finish(&mut self, how: End) {
        self.log.end(self.wire.now(), false, how.clone());
        self.ended.get_or_insert(how);
    }

    fn note(&mut self, frame: &Frame) {
        let Frame { at, fin, rsv, masked, opcode, .. } = *frame;
        let length = frame.payload.len() as u64;
        let noted = Noted { at, ours: false, fin, rsv, masked, opcode, length, head: Vec::new() };
        self.log.note(noted, &frame.payload);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(transport) = &mut self.transport {
            let _ = Pin::new(&mut **transport).poll_shutdown(&mut Context::from_waker(Waker::noop()));
            let (mut room, mut left) = ([0; 4 << 10], DRAINED);
            while let Ok(read @ 1..) = transport.tcp().try_read(&mut room)
                && read < left
            {
                left -= read;
            }
        }
        self.log.end(self.wire.now(), true, End::Closed);
        let About { request, url, headers, version, remote } = &self.about;
        self.wire.recorder.streamed(&Streamed {
            request,
            url,
            sent_headers: headers,
            version,
            remote: *remote,
            handshake: &self.handshake,
            log: &self.log,
            took: self.wire.now().saturating_sub(self.handshake.sent),
        });
    }
}

/// Hands over everything; what was handed over is gone from `out` even if this is given up.
async fn hand_over(transport: &mut Box<dyn Transport>, out: &mut BytesMut) -> io::Result<()> {
    while out.has_remaining() {
        if transport.write_buf(out).await? == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
    }
    transport.flush().await
}

/// What an error of the connection says of its end.
fn end(why: &io::Error) -> End {
    use io::ErrorKind as Kind;
    match why.kind() {
        // TLS without its closing alert.
        Kind::UnexpectedEof => End::Closed,
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => End::Reset,
        _ => End::Broken(why.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()),
    }
}
