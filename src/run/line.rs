//! A check's stream, whose waits count as the check's.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::{BoxFuture, FutureExt};

use super::session::{Wait, Waiting};
use crate::{
    exchange::{End, Frame, Handshake, Loss, Outgoing, Received},
    families::Line,
    wire::{Stream, Wire},
};

pub(super) struct CheckLine {
    pub(super) stream: Stream,
    pub(super) wire: Arc<Wire>,
    pub(super) waiting: Arc<Mutex<Waiting>>,
}

impl Line for CheckLine {
    fn handshake(&self) -> &Handshake {
        self.stream.handshake()
    }

    fn receive<'a>(&'a mut self, frames: &'a mut Vec<Frame>, until: Duration) -> BoxFuture<'a, Received> {
        async move {
            let _wait = Wait::begin(&self.waiting, &self.wire);
            self.stream.receive(frames, until).await
        }
        .boxed()
    }

    fn send(&mut self, frame: Outgoing) -> BoxFuture<'_, Result<(), End>> {
        self.stream.send(frame).boxed()
    }

    fn lose(self: Box<Self>, loss: Loss) -> BoxFuture<'static, ()> {
        self.stream.lose(loss).boxed()
    }
}
