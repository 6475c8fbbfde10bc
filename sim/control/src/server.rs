//! The server: a thread of its own beside the hub's, so that whoever asks does not keep the hub waiting.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    thread::{self, JoinHandle},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    serve::Listener,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
};
use veschub_drive::remote::Remote;
use veschub_scenario::Loaded;

use crate::{
    app::{About, App, MAX_BODY, MOST_DOWNLOADS, MOST_LISTENERS},
    changes::{Changes, Topic},
    desk::Desk,
    error::Refusal,
    guard::{Guard, Token},
    routes,
    steered::Steered,
    store::Store,
    watch::Watch,
    wire::Wire,
};

/// The most connections to the control API at a time; further ones wait until one of them ends.
pub const MOST_CONNECTIONS: usize = 256;

/// The control API of a hub that does not run yet.
#[derive(Debug)]
pub struct Control {
    /// Where HTTP is served, if it is.
    http: Option<(TcpListener, SocketAddr)>,
    guard: Guard,
    store: Arc<Store>,
    wire: Arc<Wire>,
    changes: Arc<Changes>,
}

/// The control API of a hub that runs; it ends when this is dropped.
pub struct Running {
    app: Arc<App>,
    /// Dropped to end the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Control {
    /// Listens at an address; the hub listens at `hub_port`, which captures show. With a token, only those who know it
    /// may use the control API.
    ///
    /// # Errors
    /// If the system refuses the address.
    pub fn bind(address: SocketAddr, token: Option<Token>, hub_port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self {
            http: Some((listener, address)),
            guard: Guard(token),
            store: Arc::default(),
            wire: Arc::new(Wire::new(hub_port)),
            changes: Arc::default(),
        })
    }

    /// Serves nobody over HTTP: only who asks for a [`Desk`] watches and steers.
    #[must_use]
    pub fn in_process(hub_port: u16) -> Self {
        Self {
            http: None,
            guard: Guard(None),
            store: Arc::default(),
            wire: Arc::new(Wire::new(hub_port)),
            changes: Arc::default(),
        }
    }

    /// Where it listens, if it does.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(|(_, address)| *address)
    }

    /// What has to see all that happens at the hub.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::new(
            Arc::clone(&self.store),
            self.http.as_ref().map(|_| Arc::clone(&self.wire)),
            Arc::clone(&self.changes),
        )
    }

    /// Serves from now on, in a thread of its own if it is over HTTP. The hub listens at `listening` and is steered through `remote`.
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub fn start(self, remote: Remote, about: About, listening: SocketAddr) -> io::Result<Running> {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let app = Arc::new(App {
            steered: Steered::new(about.scenario.as_ref()),
            about,
            listening,
            run: format!("{:x}", since_epoch.unwrap_or_default().as_nanos()),
            store: self.store,
            wire: self.wire,
            changes: self.changes,
            remote,
            guard: self.guard,
            listeners: Arc::new(Semaphore::new(MOST_LISTENERS)),
            downloads: Arc::new(Semaphore::new(MOST_DOWNLOADS)),
        });
        let Some((listener, _)) = self.http else {
            return Ok(Running {
                app,
                stop: None,
                thread: None,
            });
        };
        let served = Arc::clone(&app);
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let serve = move || {
            runtime.block_on(async move {
                let wire = Arc::clone(&served.wire);
                tokio::select! {
                    biased;
                    _ = stopped => {}
                    () = wire.keep_bounded() => {}
                    () = serve(listener, served) => {}
                }
            });
        };
        let thread = thread::Builder::new()
            .name("control".to_owned())
            .spawn(serve)?;
        Ok(Running {
            app,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Running {
    /// The same for somebody in this process.
    #[must_use]
    pub fn desk(&self) -> Desk {
        Desk::new(Arc::clone(&self.app))
    }

    /// The hub has other devices and faults than before, those of this scenario
    /// ([`Hub::renew`](veschub_hub::hub::Hub::renew)): a scenario that is saved begins with it.
    pub fn took_anew(&self, scenario: &Loaded) {
        self.app.steered.begin_anew(scenario);
        self.app
            .mark(&[Topic::Devices, Topic::Faults, Topic::Quirks, Topic::Held]);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, app: Arc<App>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let bounded = Bounded {
        listener,
        slots: Arc::new(Semaphore::new(MOST_CONNECTIONS)),
    };
    // It ends with the runtime only.
    let _ = axum::serve(bounded, router(app)).await;
}

fn router(app: Arc<App>) -> Router {
    let (router, _) = routes::all().split_for_parts();
    router
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), guard))
        .with_state(app)
}

async fn no_route(request: Request) -> Refusal {
    let paths = routes::paths();
    let path = request.uri().path();
    let refusal = Refusal::not_found(format!("there is no route {path:?}"));
    match veschub_scenario::closest(path, paths.iter().map(String::as_str)) {
        Some(close) => refusal.help(format!("did you mean {close}?")),
        None => refusal.help("GET /openapi.json lists what there is"),
    }
}

async fn no_method(request: Request) -> Refusal {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{} does nothing here", request.method()),
    )
    .help("GET /openapi.json lists what there is")
}

/// Lets in who may come in, and says of each answer that nobody is to keep it.
async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let checked = app.guard.check(request.uri(), request.headers());
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(refusal) if refusal.status == StatusCode::UNAUTHORIZED => {
            let welcome = app.guard.welcome(request.uri());
            welcome.unwrap_or_else(|| refusal.into_response())
        }
        Err(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A listener that takes in a bounded number of connections at a time: what the system allows is for the hub's.
struct Bounded {
    listener: tokio::net::TcpListener,
    slots: Arc<Semaphore>,
}

/// A connection that counts.
struct Counted {
    stream: TcpStream,
    _slot: OwnedSemaphorePermit,
}

impl Listener for Bounded {
    type Io = Counted;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Counted, SocketAddr) {
        let slot = loop {
            // Nobody closes the semaphore.
            if let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await {
                break slot;
            }
        };
        let (stream, from) = Listener::accept(&mut self.listener).await;
        let _ = stream.set_nodelay(true);
        let counted = Counted {
            stream,
            _slot: slot,
        };
        (counted, from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
