-- Where the last change of the hotel's time zone, currency or horizon stands among the events: who knows only earlier events
-- knows another calendar. For hotels that were there before this step, their last change counts as such a change.

ALTER TABLE hotels ADD COLUMN calendar_changed bigint NOT NULL DEFAULT 0;

UPDATE hotels SET calendar_changed = changed;
