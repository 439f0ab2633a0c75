"""Books a room, follows the events and cancels, with the client that openapi-python-client generated."""

import os
import uuid
from datetime import date, timedelta
from typing import TypeVar

from innkeeper_client import AuthenticatedClient, Client
from innkeeper_client.api.bookings import cancel_booking, confirm_booking, create_booking
from innkeeper_client.api.events import list_events
from innkeeper_client.api.hotels import create_hotel
from innkeeper_client.api.rate_plans import create_rate_plan
from innkeeper_client.api.room_types import create_room_type
from innkeeper_client.models import (
    Booking,
    BookingStatus,
    EventCause,
    EventPage,
    Hotel,
    NewBooking,
    NewContact,
    NewGuest,
    NewHotel,
    NewRatePlan,
    NewRoomType,
    Problem,
    ProblemCode,
    RatePlan,
    RoomType,
)
from innkeeper_client.types import UNSET, Unset

T = TypeVar("T")


def must(answer: object, kind: type[T]) -> T:
    assert isinstance(answer, kind), answer
    return answer


def main() -> None:
    url = os.environ["INNKEEPER_URL"]
    guest = Client(base_url=url)
    desk = AuthenticatedClient(base_url=url, token=os.environ["INNKEEPER_ADMIN_TOKEN"])

    house = NewHotel(name="Casa", city="Porto", country="PT", timezone="Europe/Lisbon", currency="EUR")
    hotel = must(create_hotel.sync(client=desk, body=house), Hotel)
    double = NewRoomType(name="Double", max_adults=2, max_children=1, max_occupancy=3, rooms=2)
    room_type = must(create_room_type.sync(hotel.id, client=desk, body=double), RoomType)
    plan = NewRatePlan(name="Flexible", price_minor=12_000)
    must(create_rate_plan.sync(room_type.id, client=desk, body=plan), RatePlan)

    arrival = date.today() + timedelta(days=30)
    order = NewBooking(
        room_type_id=room_type.id,
        checkin_date=arrival,
        checkout_date=arrival + timedelta(days=2),
        rooms=1,
        num_guests=1,
        guests=[NewGuest(name="Ana Lopes", age=34)],
        contact=NewContact(mobile="+351912345678"),
    )
    booked = must(create_booking.sync(client=guest, body=order, idempotency_key=str(uuid.uuid4())), Booking)
    assert booked.status is BookingStatus.CONFIRMED and booked.total_minor == 24_000, booked

    holder = AuthenticatedClient(base_url=url, token=booked.manage_token)
    cancelled = must(cancel_booking.sync(booked.id, client=holder), Booking)
    assert cancelled.status is BookingStatus.CANCELLED, cancelled

    causes: list[EventCause] = []
    cursor: str | Unset = UNSET
    for _ in range(20):
        page = must(list_events.sync(client=desk, cursor=cursor, limit=2), EventPage)
        causes.extend(event.cause for event in page.items if event.booking_id == booked.id)
        cursor = page.next_cursor or UNSET
        if EventCause.CANCELLED in causes:
            break
    assert causes == [EventCause.BOOKED, EventCause.CANCELLED], causes

    refused = must(confirm_booking.sync(booked.id, client=holder), Problem)
    assert refused.code is ProblemCode.ILLEGAL_MOVE, refused


if __name__ == "__main__":
    main()
