-- What partners ask about many codes at once: contents of many units by one statement, how a unit is built up, and the
-- receipts of checks.

CREATE FUNCTION public_units_contents(wanted text[])
    RETURNS TABLE (sscc text, known boolean, lot_id bigint, lo bigint, n bigint, quantity numeric, uom text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    WITH RECURSIVE inside (sscc, unit_id) AS (
        SELECT u.sscc, u.unit_id FROM unit u WHERE u.sscc = ANY (wanted)
        UNION
        SELECT i.sscc, u.unit_id FROM inside i JOIN unit u ON u.parent_id = i.unit_id
    )
    SELECT u.sscc, true, NULL::bigint, NULL::bigint, NULL::bigint, NULL::numeric, NULL::text
    FROM unit u WHERE u.sscc = ANY (wanted)
    UNION ALL
    SELECT i.sscc, true, r.lot_id, r.lo, r.n, r.n::numeric, ''::text FROM inside i JOIN code_run r USING (unit_id)
    UNION ALL
    SELECT i.sscc, true, q.lot_id, NULL, NULL, q.quantity, q.uom FROM inside i JOIN unit_quantity q USING (unit_id)
$$;

-- Parents before what is in them. A unit on its own way down is not entered again, whatever the record says; the layer
-- below the last one that is allowed is told, so that the reader can refuse. A unit that is itself a serialized item
-- is one line with its URI.
CREATE FUNCTION public_unit_tree(wanted_sscc text, depth_max integer)
    RETURNS TABLE (unit_id bigint, parent_id bigint, depth integer, uri text, sscc text,
                   lot_id bigint, lo bigint, n bigint, quantity numeric, uom text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    WITH RECURSIVE inside (unit_id, parent_id, depth, uri, sscc) AS (
        SELECT u.unit_id, NULL::bigint, 0, u.uri, u.sscc FROM unit u WHERE u.sscc = wanted_sscc
        UNION ALL
        SELECT u.unit_id, u.parent_id, i.depth + 1, u.uri, u.sscc
        FROM inside i JOIN unit u ON u.parent_id = i.unit_id WHERE i.depth < depth_max
    ) CYCLE unit_id SET is_again USING way
    SELECT i.unit_id, i.parent_id, i.depth, i.uri, i.sscc, c.lot_id, c.lo, c.n, c.quantity, c.uom
    FROM inside i LEFT JOIN LATERAL (
        SELECT r.lot_id, r.lo, r.n, r.n::numeric AS quantity, ''::text AS uom FROM code_run r WHERE r.unit_id = i.unit_id
        UNION ALL
        SELECT q.lot_id, NULL, NULL, q.quantity, q.uom FROM unit_quantity q WHERE q.unit_id = i.unit_id
    ) c ON true
    WHERE NOT i.is_again ORDER BY i.depth, i.unit_id, c.lot_id, c.lo
$$;

-- Evidence of what was asked and answered. The portal adds and reads single ones by their unguessable name; only the
-- worker drops those that are older than the time for which they are kept.
CREATE TABLE check_receipt (
    receipt_id text NOT NULL,
    document   text NOT NULL,                  -- as signed (JWS): what it says can be checked without us
    made_at    timestamptz NOT NULL,
    CONSTRAINT check_receipt_pkey PRIMARY KEY (receipt_id),
    CONSTRAINT check_receipt_size_check CHECK (length(document) <= 4000 AND length(receipt_id) <= 40)
);
CREATE INDEX check_receipt_made_at ON check_receipt (made_at);

-- The document kept under this name: the same question asked again, with the same answer, has one receipt.
CREATE FUNCTION public_keep_receipt(new_id text, new_document text, now_at timestamptz) RETURNS text
    LANGUAGE sql SECURITY DEFINER SET search_path = public AS $$
    WITH kept AS (
        INSERT INTO check_receipt (receipt_id, document, made_at) VALUES (new_id, new_document, now_at)
        ON CONFLICT ON CONSTRAINT check_receipt_pkey DO NOTHING RETURNING document
    )
    SELECT document FROM kept UNION ALL SELECT document FROM check_receipt WHERE receipt_id = new_id LIMIT 1 $$;
CREATE FUNCTION public_receipt(wanted_id text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT document FROM check_receipt WHERE receipt_id = wanted_id $$;

REVOKE ALL ON FUNCTION public_units_contents, public_unit_tree, public_keep_receipt, public_receipt FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public_units_contents, public_unit_tree, public_keep_receipt, public_receipt TO tracemark_portal;
