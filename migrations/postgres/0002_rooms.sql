-- Which physical room a booking sleeps in: [arrival, departure) of the hotel's dates, and a row more where it moves to
-- another room. The front desk will write it; until then it is the guard alone. A room has one booking a night.
-- An exclusion constraint compares by index, and an index of ranges needs no extension: two ranges of one value each
-- overlap when the values are equal.

CREATE TYPE uuid_range AS RANGE (subtype = uuid);
CREATE TYPE text_range AS RANGE (subtype = text, collation = "C");

CREATE TABLE room_assignments (
    booking_id uuid NOT NULL REFERENCES bookings (id),
    hotel_id   uuid NOT NULL REFERENCES hotels (id),
    room       text NOT NULL, -- as it stands on the door
    arrival    date NOT NULL,
    departure  date NOT NULL,
    PRIMARY KEY (booking_id, room, arrival),
    CONSTRAINT one_night_at_least CHECK (arrival < departure),
    CONSTRAINT one_booking_a_night EXCLUDE USING gist (
        uuid_range(hotel_id, hotel_id, '[]') WITH &&,
        text_range(room, room, '[]') WITH &&,
        daterange(arrival, departure) WITH &&
    )
);
