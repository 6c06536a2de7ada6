use futures_util::future::join;

use super::*;
use crate::{
    exchange::{Request, Unopened, Who},
    families::{
        Session,
        testing::{Fake, given},
    },
};

const MS: Duration = Duration::from_millis(1);

fn opening() -> Opening {
    Opening::new(Request::new(Who::Anonymous, "GET", "/v1/stream"))
}

fn echo(asked: &Asked<'_>) -> Opened {
    Opened::accept(asked, |said, now| match said {
        Said::Frame(frame) if frame.opcode == Opcode::Ping => {
            vec![Due::frame(now + MS, Opcode::Pong, frame.payload.clone())]
        }
        Said::Frame(frame) => vec![Due::raw(Frame {
            at: now + MS,
            fin: frame.fin,
            rsv: 0,
            masked: false,
            opcode: frame.opcode,
            payload: frame.payload.clone(),
        })],
        _ => vec![],
    })
}

#[tokio::test]
async fn frames_come_when_they_are_due_and_time_passes_no_further() {
    let stage = Stage::new(echo);
    let fake = Fake::new(|_, _| Ok(given(200, &serde_json::json!({})))).streaming(&stage);
    let mut line = fake.open(opening()).await.ok().unwrap();
    assert_eq!(
        line.handshake().headers.get("sec-websocket-accept"),
        Some(&*derive_accept_key(line.handshake().key.as_bytes()))
    );
    let (mut frames, began) = (Vec::new(), fake.now());
    line.send(Outgoing::new(Opcode::Ping, "x")).await.unwrap();
    assert_eq!(line.receive(&mut frames, began + 50 * MS).await, Received::Frames);
    assert_eq!((frames[0].opcode, frames[0].at, fake.now()), (Opcode::Pong, began + MS, began + MS));
    assert_eq!(line.receive(&mut frames, began + 50 * MS).await, Received::Quiet);
    assert_eq!((frames.len(), fake.now()), (1, began + 50 * MS));
    line.lose(Loss::Reset("x".into())).await;
    assert_eq!((stage.lost(1), stage.open().len()), (Some(Loss::Reset("x".into())), 0));
}

#[tokio::test]
async fn connections_that_are_read_side_by_side_share_their_time() {
    let stage = Stage::new(|asked: &Asked<'_>| {
        let nth = u32::try_from(asked.nth).unwrap();
        Opened::accept(asked, move |said, now| match said {
            Said::Opened => vec![Due::wake(now + nth * 10 * MS)],
            Said::Woken => vec![Due::text(now + MS, "tick"), Due::wake(now + 100 * MS)],
            _ => vec![],
        })
    });
    let fake = Fake::new(|_, _| Ok(given(200, &serde_json::json!({})))).streaming(&stage);
    let (mut one, mut two) = (fake.open(opening()).await.ok().unwrap(), fake.open(opening()).await.ok().unwrap());
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let until = Duration::from_secs(1);
    let (a, b) = join(one.receive(&mut first, until), two.receive(&mut second, until)).await;
    assert_eq!((a, b), (Received::Frames, Received::Frames));
    assert_eq!((first[0].at, second[0].at), (13 * MS, 25 * MS));
    assert_eq!(fake.now(), 25 * MS);
}

#[tokio::test]
async fn each_opening_is_answered_anew_and_requests_make_events() {
    let stage = Stage::new(|asked: &Asked<'_>| match asked.nth {
        1 => {
            assert_eq!((asked.opening.request.target.as_str(), asked.now), ("/v1/stream", MS));
            echo(asked)
        }
        2 => Opened::Refuse(given(401, &serde_json::json!({"code": "who"}))),
        _ => Opened::Fail(FailureKind::Connect),
    });
    let told = Arc::clone(&stage);
    let fake = Fake::new(move |_, now| {
        told.tell(&Due::text(now + 5 * MS, "event"));
        told.say(1, [Due::end(now + 9 * MS, End::Reset), Due::text(now + 10 * MS, "never")]);
        Ok(given(201, &serde_json::json!({})))
    })
    .streaming(&stage);
    let mut line = fake.open(opening()).await.ok().unwrap();
    assert!(matches!(fake.open(opening()).await, Err(Unopened::Refused(reply)) if reply.status == 401));
    assert!(matches!(fake.open(opening()).await, Err(Unopened::Failed(why)) if why.kind == FailureKind::Connect));
    fake.send(Request::new(Who::Anonymous, "POST", "/v1/orders")).await.unwrap();
    let mut frames = Vec::new();
    let until = Duration::from_secs(1);
    assert_eq!(line.receive(&mut frames, until).await, Received::Frames);
    assert_eq!(line.receive(&mut frames, until).await, Received::Ended(End::Reset));
    assert_eq!(frames.len(), 1);
    assert_eq!(line.send(Outgoing::text("late")).await, Err(End::Reset));
    assert_eq!(fake.asked.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn the_other_side_hears_how_it_is_given_up_and_its_close_frames_come() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&heard);
    let stage = Stage::new(move |asked: &Asked<'_>| {
        let ears = Arc::clone(&ears);
        Opened::accept(asked, move |said, now| match said {
            Said::Opened => vec![Due::close(now, Some(1001), "bye")],
            Said::Lost(loss) => {
                ears.lock().unwrap().push(loss.clone());
                vec![]
            }
            _ => vec![],
        })
    });
    let fake = Fake::new(|_, _| Ok(given(200, &serde_json::json!({})))).streaming(&stage);
    let (mut line, mut frames) = (fake.open(opening()).await.ok().unwrap(), Vec::new());
    assert_eq!(line.receive(&mut frames, fake.now()).await, Received::Frames);
    assert_eq!((frames[0].opcode, &frames[0].payload[..]), (Opcode::Close, &b"\x03\xe9bye"[..]));
    drop(line);
    assert_eq!(*heard.lock().unwrap(), [Loss::Closed]);
}
