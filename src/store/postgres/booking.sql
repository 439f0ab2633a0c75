-- Whole bookings: one statement, however many there are, so that all of it is one committed state.
SELECT
    b.*,
    (
        SELECT coalesce(json_agg(json_build_object('name', g.name, 'age', g.age) ORDER BY g.position), '[]')
        FROM booking_guests AS g
        WHERE g.booking_id = b.id
    ) AS guests,
    (
        SELECT coalesce(json_agg(json_build_object(
            'service_id', s.service_id, 'name', s.name, 'basis', s.basis,
            'unit_price', s.unit_price_minor, 'quantity', s.quantity, 'amount', s.amount_minor
        ) ORDER BY s.position), '[]')
        FROM booking_services AS s
        WHERE s.booking_id = b.id
    ) AS services
FROM bookings AS b
