-- Which physical room a booking sleeps in: [arrival, departure) of the hotel's dates, and a row more where it moves to
-- another room. The front desk will write it; until then it is the guard alone. A room has one booking a night.
-- An exclusion constraint compares by index, and an index of ranges needs no extension: two ranges of one value each
-- overlap when the values are equal.

CREATE TYPE uuid_range AS RANGE (subtype = uuid);
CREATE TYPE text_range AS RANGE (subtype = text, collation = "C");

-- A door is one of the hotel that was booked: a row with another one's name on it would walk around the guard. What a
-- foreign key points at must be unique, which this index is anyway.
DROP INDEX bookings_by_hotel;
CREATE UNIQUE INDEX bookings_by_hotel ON bookings (hotel_id, id);

CREATE TABLE room_assignments (
    booking_id uuid NOT NULL,
    hotel_id   uuid NOT NULL,
    room       text NOT NULL, -- as it stands on the door
    arrival    date NOT NULL,
    departure  date NOT NULL,
    PRIMARY KEY (booking_id, room, arrival),
    CONSTRAINT one_night_at_least CHECK (arrival < departure),
    CONSTRAINT of_the_bookings_hotel FOREIGN KEY (hotel_id, booking_id) REFERENCES bookings (hotel_id, id),
    CONSTRAINT one_booking_a_night EXCLUDE USING gist (
        uuid_range(hotel_id, hotel_id, '[]') WITH &&,
        text_range(room, room, '[]') WITH &&,
        daterange(arrival, departure) WITH &&
    )
);
