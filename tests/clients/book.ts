// Books a room, follows the events and cancels, with the types that openapi-typescript generated.
import createClient from "openapi-fetch";
import type { components, paths } from "./api";

declare const process: { env: Record<string, string | undefined>; exitCode?: number };

type Booking = components["schemas"]["Booking"];

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

function must<T>(what: string, answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(`${what}: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

function assert(what: string, holds: boolean): void {
  if (!holds) throw new Error(what);
}

async function main(): Promise<void> {
  const baseUrl = setting("INNKEEPER_URL");
  const authorization = `Bearer ${setting("INNKEEPER_ADMIN_TOKEN")}`;
  const guest = createClient<paths>({ baseUrl });
  const desk = createClient<paths>({ baseUrl, headers: { authorization } });

  const house: components["schemas"]["NewHotel"] = {
    name: "Casa", city: "Lisbon", country: "PT", timezone: "Europe/Lisbon", currency: "EUR",
  };
  const hotel = must("a hotel", await desk.POST("/v1/hotels", { body: house }));
  const roomType = must("a room type", await desk.POST("/v1/hotels/{id}/room-types", {
    params: { path: { id: hotel.id } },
    body: { name: "Double", max_adults: 2, max_children: 1, max_occupancy: 3, rooms: 2 },
  }));
  must("a rate plan", await desk.POST("/v1/room-types/{id}/rate-plans", {
    params: { path: { id: roomType.id } },
    body: { name: "Flexible", price_minor: 12_000 },
  }));

  const day = (ahead: number) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);
  const booked: Booking = must("a booking", await guest.POST("/v1/bookings", {
    params: { header: { "Idempotency-Key": crypto.randomUUID() } },
    body: {
      room_type_id: roomType.id, checkin_date: day(30), checkout_date: day(32), rooms: 1, num_guests: 1,
      guests: [{ name: "Ana Lopes", age: 34 }], contact: { mobile: "+351912345678" },
    },
  }));
  assert("it is confirmed", booked.status === "confirmed");
  assert("it has its price", booked.total_minor === 24_000);

  const cancelled = must("a cancellation", await guest.POST("/v1/bookings/{booking_id}/cancel", {
    params: { path: { booking_id: booked.id } },
    headers: { authorization: `Bearer ${booked.manage_token}` },
  }));
  assert("it is cancelled", cancelled.status === "cancelled");

  const causes: components["schemas"]["EventCause"][] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < 20 && causes.at(-1) !== "cancelled"; pages += 1) {
    const page = must("events", await desk.GET("/v1/events", { params: { query: { cursor, limit: 2 } } }));
    causes.push(...page.items.filter((event) => event.booking_id === booked.id).map((event) => event.cause));
    cursor = page.next_cursor ?? undefined;
  }
  assert(`the events tell it: ${causes.join()}`, causes.join() === "booked,cancelled");

  const refused = await guest.POST("/v1/bookings/{booking_id}/confirm", {
    params: { path: { booking_id: booked.id } },
    headers: { authorization: `Bearer ${booked.manage_token}` },
  });
  assert("a cancelled booking cannot be confirmed", refused.error?.code === "illegal_move");
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
