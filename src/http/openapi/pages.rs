//! Pages that are the same for all clients: the descriptions of the API and Swagger UI. Each page is rendered and
//! compressed once, and shared by all answers.

use std::io::Write;
use std::sync::Arc;

use actix_web::http::header::{self, AcceptEncoding, ContentEncoding, ETag, EntityTag, Header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use data_encoding::BASE64URL_NOPAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use moka::future::Cache;
use sha2::{Digest, Sha256};

use crate::domain::Date;
use crate::http::answer::REVALIDATE;
use crate::http::code::Code;
use crate::http::extract::IfNoneMatch;
use crate::http::problem::Problem;

/// The most cached pages: more than one day has.
const MAX_PAGES: u64 = 64;

/// A cache of pages. Clones share it.
#[derive(Clone)]
pub struct Pages(Cache<(String, Option<Date>), Arc<Page>>);

/// A page, plain and compressed.
struct Page {
    media: String,
    plain: Bytes,
    packed: Bytes,
    tag: String,
}

impl Default for Pages {
    fn default() -> Self {
        Self(Cache::new(MAX_PAGES))
    }
}

impl Pages {
    /// Whether a page that does not change every day is in the cache.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(&(name.to_owned(), None))
    }

    /// Answers with a page. `day`: the date, if the page changes every day. `render` returns its media type and its
    /// text, or `None` if the page does not exist. Concurrent requests for a new page render it once.
    pub async fn show(
        &self,
        name: &str,
        day: Option<Date>,
        render: impl FnOnce() -> Option<(String, Vec<u8>)> + Send + 'static,
        request: &HttpRequest,
        known: &IfNoneMatch,
    ) -> Result<HttpResponse, Problem> {
        let rendered = async {
            let rendered = tokio::task::spawn_blocking(|| render().map(|(media, text)| Page::new(media, text))).await;
            rendered.ok().flatten().map(Arc::new)
        };
        let page = self.0.optionally_get_with((name.to_owned(), day), rendered).await;
        page.map(|page| page.answer(request, known)).ok_or_else(|| Problem::of(Code::NotFound))
    }
}

impl Page {
    fn new(media: String, text: Vec<u8>) -> Self {
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        // Writing to memory cannot fail.
        let packed = packer.write_all(&text).and_then(|()| packer.finish()).unwrap_or_default();
        let tag = BASE64URL_NOPAD.encode(&Sha256::digest(&text)[..16]);
        Self { media, plain: shared(text), packed: shared(packed), tag }
    }

    fn answer(&self, request: &HttpRequest, known: &IfNoneMatch) -> HttpResponse {
        let is_packed = !self.packed.is_empty() && takes_gzip(request);
        let (body, coding) = match is_packed {
            true => (&self.packed, ContentEncoding::Gzip),
            // Naming the coding keeps the middleware from compressing the page for each client.
            false => (&self.plain, ContentEncoding::Identity),
        };
        // The tag is weak: both codings share it, and equal strong tags promise equal bytes (RFC 9110, section 8.8.3).
        let version = ETag(EntityTag::new_weak(self.tag.clone()));
        let vary = (header::VARY, "accept-encoding");
        if known.has(&version) {
            return HttpResponse::NotModified()
                .insert_header(version)
                .insert_header(REVALIDATE)
                .insert_header(vary)
                .finish();
        }
        let mut answer = HttpResponse::Ok();
        answer.insert_header(version).insert_header(REVALIDATE).insert_header(vary).insert_header(coding);
        answer.content_type(self.media.clone()).body(body.clone())
    }
}

/// Bytes whose clones share the memory.
fn shared(bytes: Vec<u8>) -> Bytes {
    Bytes::from_owner(bytes)
}

fn takes_gzip(request: &HttpRequest) -> bool {
    let offered = [header::Encoding::identity(), header::Encoding::gzip()];
    let wanted = AcceptEncoding::parse(request).ok();
    let chosen = wanted.and_then(|wanted| wanted.negotiate(offered.iter()));
    chosen == Some(header::Encoding::gzip())
}
