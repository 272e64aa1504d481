-- Lists, a page at a time: keyset by primary key, so that page 10,000 costs what page 1 costs. Row 0 ("unknown") is not shown.

-- name: parties
SELECT party_id, uri, gln, name, role, channel, country, region, city, address, name_public
FROM party WHERE party_id > CAST(:after AS bigint) AND party_id > 0 ORDER BY party_id LIMIT CAST(:n AS bigint);

-- name: places
SELECT place_id, uri, gln, name, kind, party_id, country, region, city, address
FROM place WHERE place_id > CAST(:after AS bigint) AND place_id > 0 ORDER BY place_id LIMIT CAST(:n AS bigint);

-- name: products
SELECT product_id, gtin, name, brand, texts, profile, ours, shelf_life_days, date_kind, allergens, brand_party_id, image
FROM product WHERE product_id > CAST(:after AS bigint) ORDER BY product_id LIMIT CAST(:n AS bigint);

-- name: lots
SELECT l.lot_id, l.product_id, p.gtin, l.code, l.made_on, l.best_before_on, l.status, l.status_reason, l.supplier_id,
       l.made_at_place_id, l.quantity, l.uom
FROM lot l JOIN product p USING (product_id)
WHERE l.lot_id > CAST(:after AS bigint) AND l.code <> '' AND (CAST(:gtin AS text) IS NULL OR p.gtin = :gtin)
ORDER BY l.lot_id LIMIT CAST(:n AS bigint);

-- name: captures
SELECT capture_id, created_at, finished_at, behaviour, running, success, events, known, errors, warnings, captured_by
FROM capture
WHERE CAST(:before AS timestamptz) IS NULL OR (created_at, capture_id) < (CAST(:before AS timestamptz), CAST(:before_id AS uuid))
ORDER BY created_at DESC, capture_id DESC LIMIT CAST(:n AS bigint);

-- name: capture
SELECT capture_id, created_at, finished_at, behaviour, running, success, events, known, errors, warnings, captured_by
FROM capture WHERE capture_id = CAST(:capture_id AS uuid);

-- name: event
SELECT body FROM event WHERE source_id = :source_id ORDER BY event_id LIMIT 1;

-- name: event_name
SELECT source_id FROM event WHERE event_id = CAST(:event_id AS bigint);
