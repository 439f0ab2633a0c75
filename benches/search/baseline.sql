-- The cheapest hotels of a city for a stay: room types whose nights are free and unrestricted, by the cheapest of their
-- plans. A night without a row has the defaults of its room type. The query reads existing rows only.
WITH sellable AS (
    SELECT h.id AS hotel_id, h.currency, t.id AS room_type_id
    FROM hotels AS h
    JOIN room_types AS t ON t.hotel_id = h.id
    WHERE h.city_key = $1 AND h.max_nights >= $4
      AND $5 <= t.max_adults * $6 AND $5 <= t.max_occupancy * $6
      AND (
          max(t.rooms + t.overbooking_allowance, 0) >= $6
          OR (SELECT count(*) FROM nights AS n WHERE n.room_type_id = t.id AND n.date >= $2 AND n.date < $3) = $4
      )
      AND NOT EXISTS (
          SELECT 1 FROM nights AS n
          WHERE n.room_type_id = t.id AND n.date >= $2 AND n.date <= $3
            AND CASE WHEN n.date = $3 THEN n.closed_to_departure ELSE
                n.stop_sell
                OR coalesce(n.physical, t.rooms) - n.out_of_order + coalesce(n.allowance, t.overbooking_allowance)
                   - n.sold - n.held < $6
                OR $4 < n.min_nights_through OR (n.max_nights_through > 0 AND $4 > n.max_nights_through)
                OR (n.date = $2 AND (
                    n.closed_to_arrival OR $4 < n.min_nights_arrival
                    OR (n.max_nights_arrival > 0 AND $4 > n.max_nights_arrival)
                )) END
      )
)
SELECT s.hotel_id, min($6 * (
    p.price_minor * $4 + coalesce((
        SELECT sum(r.price_minor - p.price_minor) FROM rate_nights AS r
        WHERE r.rate_plan_id = p.id AND r.date >= $2 AND r.date < $3 AND r.price_minor IS NOT NULL
    ), 0)
)) AS total_minor
FROM sellable AS s
JOIN rate_plans AS p ON p.room_type_id = s.room_type_id
WHERE NOT EXISTS (
    SELECT 1 FROM rate_nights AS r
    WHERE r.rate_plan_id = p.id AND r.date >= $2 AND r.date <= $3
      AND CASE WHEN r.date = $3 THEN r.closed_to_departure ELSE
          r.stop_sell
          OR $4 < r.min_nights_through OR (r.max_nights_through > 0 AND $4 > r.max_nights_through)
          OR (r.date = $2 AND (
              r.closed_to_arrival OR $4 < r.min_nights_arrival
              OR (r.max_nights_arrival > 0 AND $4 > r.max_nights_arrival)
          )) END
)
GROUP BY s.hotel_id
ORDER BY s.currency, total_minor, s.hotel_id
LIMIT $7
