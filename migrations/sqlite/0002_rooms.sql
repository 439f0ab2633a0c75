-- Which physical room a booking sleeps in: [arrival, departure) of the hotel's dates, and a row more where it moves to
-- another room. The front desk will write it; until then it is the guard alone. A room has one booking a night: what
-- PostgreSQL says in an exclusion constraint is said by triggers here.

-- A door is one of the hotel that was booked: a row with another one's name on it would walk around the guard. What a
-- foreign key points at must be unique, which this index is anyway.
DROP INDEX bookings_by_hotel;
CREATE UNIQUE INDEX bookings_by_hotel ON bookings (hotel_id, id);

CREATE TABLE room_assignments (
    booking_id TEXT NOT NULL,
    hotel_id   TEXT NOT NULL,
    room       TEXT NOT NULL, -- as it stands on the door
    arrival    TEXT NOT NULL,
    departure  TEXT NOT NULL,
    PRIMARY KEY (booking_id, room, arrival),
    CONSTRAINT one_night_at_least CHECK (arrival < departure),
    FOREIGN KEY (hotel_id, booking_id) REFERENCES bookings (hotel_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX room_assignments_by_room ON room_assignments (hotel_id, room, arrival);

CREATE TRIGGER one_booking_a_night_when_assigned BEFORE INSERT ON room_assignments
WHEN EXISTS (
    SELECT 1 FROM room_assignments AS other
    WHERE other.hotel_id = NEW.hotel_id AND other.room = NEW.room
        AND other.arrival < NEW.departure AND NEW.arrival < other.departure
)
BEGIN
    SELECT RAISE(ABORT, 'one_booking_a_night');
END;

CREATE TRIGGER one_booking_a_night_when_changed
BEFORE UPDATE OF hotel_id, room, arrival, departure ON room_assignments
WHEN EXISTS (
    SELECT 1 FROM room_assignments AS other
    WHERE other.hotel_id = NEW.hotel_id AND other.room = NEW.room
        AND other.arrival < NEW.departure AND NEW.arrival < other.departure
        -- Nobody is in his own way.
        AND (other.booking_id, other.room, other.arrival) IS NOT (OLD.booking_id, OLD.room, OLD.arrival)
)
BEGIN
    SELECT RAISE(ABORT, 'one_booking_a_night');
END;
