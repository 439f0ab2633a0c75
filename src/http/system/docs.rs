//! The OpenAPI text of the endpoints for operators and of the API's descriptions.

use super::health::Health;
use crate::http::code::Code;
use crate::http::describe::operation::{Doc, get};

const READY: &str = "200 means that the node can serve every request: the store answers, commits succeed, and the \
                     search index is built. In a cluster the node also shares the secret, the time and the database of \
                     the other nodes (otherwise `not_a_member`), and Redis has answered within the time of a lease. \
                     While the node drains or shuts down the answer is 503: the node still answers requests, but a \
                     load balancer should use another node.";

pub fn docs() -> Vec<Doc> {
    let docs = [
        get("/healthz", "live").says("Check liveness", "The process answers requests.").answers::<Health>(
            200,
            "The process is alive.",
            &[],
        ),
        get("/readyz", "ready")
            .says("Check readiness", READY)
            .answers::<Health>(200, "The node is ready.", &[])
            .refuses(&[Code::Starting, Code::ShuttingDown, Code::Unavailable, Code::NotAMember]),
        get("/metrics", "metrics").says("Get metrics", "Metrics of this node, for Prometheus.").answers_otherwise(
            200,
            "Metrics in the text format of Prometheus.",
            Some("text/plain"),
        ),
        get("/openapi.json", "openapi").says("Get the OpenAPI document", "").answers_otherwise(
            200,
            "OpenAPI 3.1.",
            Some("application/json"),
        ),
        get("/asyncapi.json", "asyncapi")
            .says("Get the AsyncAPI document", "It describes the messages of `/v1/ws`.")
            .answers_otherwise(200, "AsyncAPI 3.0.", Some("application/json")),
        get("/docs", "docs")
            .says("Open the API documentation", "Swagger UI. It loads nothing from other servers.")
            .answers_otherwise(308, "Redirects to `/docs/`.", None),
    ];
    docs.into_iter().map(|doc| doc.tag("operation")).collect()
}
