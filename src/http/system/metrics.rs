//! `GET /metrics`: metrics in the text format of Prometheus.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::ContentEncoding;
use actix_web::web::{Bytes, Data};
use moka::future::Cache;

use super::GOOD_FOR;

/// Renders the metrics outside the worker's thread, at most once in a tenth of a second, because the endpoint has no rate
/// limit. Clones share the result.
#[derive(Clone)]
pub struct MetricsPage {
    render: Arc<dyn Fn() -> String + Send + Sync>,
    rendered: Cache<(), Bytes>,
}

impl MetricsPage {
    pub fn new(render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self { render: Arc::new(render), rendered: Cache::builder().max_capacity(1).time_to_live(GOOD_FOR).build() }
    }

    async fn text(&self) -> Bytes {
        let render = self.render.clone();
        // The task fails only if rendering panics.
        let rendering = async { tokio::task::spawn_blocking(move || render().into()).await.unwrap_or_default() };
        self.rendered.get_with((), rendering).await
    }
}

pub async fn handle(metrics: Data<MetricsPage>) -> HttpResponse {
    // Naming the coding keeps the middleware from compressing the text for each client.
    let mut answer = HttpResponse::Ok();
    answer.insert_header(ContentEncoding::Identity).content_type("text/plain; version=0.0.4; charset=utf-8");
    answer.body(metrics.text().await)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_flood_of_requests_renders_once() {
        let renders = Arc::new(AtomicUsize::new(0));
        let counted = renders.clone();
        let page = MetricsPage::new(move || format!("{}", counted.fetch_add(1, Ordering::Relaxed)));
        let began = std::time::Instant::now();
        futures_util::future::join_all((0..1_000).map(|_| page.text())).await;
        let turns = began.elapsed().as_millis() / GOOD_FOR.as_millis() + 1;
        assert!(renders.load(Ordering::Relaxed) as u128 <= turns);
    }
}
