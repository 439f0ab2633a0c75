//! Follows every event of every hotel, as a channel manager or a data warehouse does.
//!
//! ```sh
//! INNKEEPER_ADMIN_TOKEN=a-token-for-trying-it cargo run -- serve --demo       # in one terminal
//! INNKEEPER_ADMIN_TOKEN=a-token-for-trying-it cargo run --example follow_events   # in another
//! ```

use std::time::Duration;

use anyhow::Context;
use innkeeper::client::Client;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
    let token = std::env::var("INNKEEPER_ADMIN_TOKEN").context("set INNKEEPER_ADMIN_TOKEN as the server has it")?;
    follow_events(&Client::at(&url)?.with_token(&token)).await
}

pub async fn follow_events(client: &Client) -> anyhow::Result<()> {
    // Store the cursor with what you make of the events. After a restart, go on from there.
    let mut cursor: Option<String> = None;
    loop {
        let mut request = client.events().limit(200);
        if let Some(cursor) = &cursor {
            request = request.cursor(cursor);
        }
        let page = match request.send().await {
            Ok(page) => page,
            // The events after this cursor were deleted: read the availability again, then begin without a cursor.
            Err(error) if error.problem().is_some_and(|problem| problem.code == "events_gone") => {
                cursor = None;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        for event in &page.items {
            let id = event.room_type_id.map_or_else(|| "-".to_owned(), |id| id.to_string());
            println!("{} {} room type {id}", event.at, event.cause);
        }
        cursor = Some(page.next_cursor);
        if !page.more {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}
