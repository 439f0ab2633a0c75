-- The position of the last event before the hotel's time zone, currency or horizon changed: who knows only earlier events
-- knows another calendar. For hotels that were there before this step, every event is taken for earlier.

ALTER TABLE hotels ADD COLUMN calendar_changed INTEGER NOT NULL DEFAULT 0;

UPDATE hotels SET calendar_changed = (SELECT coalesce(max(position), 0) FROM events);
