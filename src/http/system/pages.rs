//! What is the same for everybody: the description of the API and the page that shows it. Each page is made and
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

/// More than there are pages on one day.
const MOST: u64 = 64;

/// The pages that were asked for. A clone is the same one.
#[derive(Clone)]
pub struct Pages(Cache<(String, Option<Date>), Arc<Page>>);

/// A page, ready to be sent.
struct Page {
    media: String,
    plain: Bytes,
    packed: Bytes,
    tag: String,
}

impl Default for Pages {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl Pages {
    /// A page by its name, and by its day where it changes with the days. `make` gives its media type and its text, or
    /// `None` where there is no such page; many who ask for a new page wait for one that makes it.
    pub async fn show(
        &self,
        name: &str,
        day: Option<Date>,
        make: impl FnOnce() -> Option<(String, Vec<u8>)> + Send + 'static,
        request: &HttpRequest,
        known: &IfNoneMatch,
    ) -> Result<HttpResponse, Problem> {
        let made = async {
            let made = tokio::task::spawn_blocking(|| make().map(|(media, text)| Page::new(media, text))).await;
            made.ok().flatten().map(Arc::new)
        };
        let page = self.0.optionally_get_with((name.to_owned(), day), made).await;
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
            // Named, so that nothing compresses it anew for every client.
            false => (&self.plain, ContentEncoding::Identity),
        };
        // Equal strong tags would promise equal bytes (RFC 9110, section 8.8.3).
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

/// Bytes that are shared however often they are cloned.
fn shared(bytes: Vec<u8>) -> Bytes {
    Bytes::from_owner(bytes)
}

fn takes_gzip(request: &HttpRequest) -> bool {
    let offered = [header::Encoding::identity(), header::Encoding::gzip()];
    let wanted = AcceptEncoding::parse(request).ok();
    let chosen = wanted.and_then(|wanted| wanted.negotiate(offered.iter()));
    chosen == Some(header::Encoding::gzip())
}
