//! `GET /metrics`: metrics in the text format of Prometheus.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::Data;

/// Renders the metrics. A clone renders the same ones.
#[derive(Clone)]
pub struct MetricsPage(Arc<dyn Fn() -> String + Send + Sync>);

impl MetricsPage {
    pub fn new(render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(render))
    }
}

pub async fn handle(metrics: Data<MetricsPage>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body((metrics.0)())
}
