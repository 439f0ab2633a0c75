-- Everything a room type decides with, from date $2 on: one row each, its nights and plans as JSON, so that one
-- statement sees one committed state of a whole city.
SELECT
    h.id AS hotel_id, h.name AS hotel_name, h.city, h.country, h.timezone, h.currency, h.check_in_time,
    h.check_out_time, h.latitude, h.longitude, h.max_nights, h.horizon_nights,
    t.id AS room_type_id, t.name AS room_type_name, t.max_adults, t.max_children, t.max_occupancy, t.rooms,
    t.overbooking_allowance, t.sequence,
    (
        SELECT json_group_array(json_array(
            n.date, n.physical, n.out_of_order, n.allowance, n.sold, n.held, n.forced,
            n.stop_sell, n.closed_to_arrival, n.closed_to_departure,
            n.min_nights_arrival, n.max_nights_arrival, n.min_nights_through, n.max_nights_through
        ))
        FROM nights AS n
        WHERE n.room_type_id = t.id AND n.date >= $2
    ) AS nights,
    (
        SELECT json_group_array(json_array(
            p.id, p.name, p.price_minor, json(p.policy),
            (
                SELECT json_group_array(json_array(
                    r.date, r.price_minor,
                    r.stop_sell, r.closed_to_arrival, r.closed_to_departure,
                    r.min_nights_arrival, r.max_nights_arrival, r.min_nights_through, r.max_nights_through
                ))
                FROM rate_nights AS r
                WHERE r.rate_plan_id = p.id AND r.date >= $2
            )
        ) ORDER BY p.id)
        FROM rate_plans AS p
        WHERE p.room_type_id = t.id
    ) AS plans
FROM room_types AS t
JOIN hotels AS h ON h.id = t.hotel_id
