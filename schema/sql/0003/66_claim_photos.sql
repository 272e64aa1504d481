-- A photo beside a claim, drawn anew as those of reports are; it goes with the contact. The same form sent twice is one
-- claim.
ALTER TABLE remedy_claim ADD COLUMN photo bytea,
    ADD CONSTRAINT remedy_claim_photo_check CHECK (length(photo) <= 600000);
DROP FUNCTION public_take_claim(text, text, text, text, integer, text, text, timestamptz, integer);
CREATE FUNCTION public_take_claim(p_reference text, p_number text, p_remedy text, p_code text, p_pieces integer,
                                  p_contact text, p_language text, p_photo bytea, p_at timestamptz, p_open_max integer)
    RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF EXISTS (SELECT FROM remedy_claim WHERE reference = p_reference) THEN
        RETURN true;
    END IF;
    IF NOT p_remedy = ANY (coalesce(public_claim_choices(p_number), '{}'))
       OR (SELECT count(*) FROM (SELECT FROM remedy_claim WHERE state = 'received' LIMIT p_open_max) AS o) >= p_open_max THEN
        RETURN false;
    END IF;
    INSERT INTO remedy_claim (reference, case_id, remedy, code, pieces, contact, language, photo, taken_at)
    SELECT p_reference, case_id, p_remedy, p_code, p_pieces, p_contact, p_language, p_photo, p_at
    FROM publication WHERE number = p_number
    ON CONFLICT ON CONSTRAINT remedy_claim_reference_key DO NOTHING;  -- two taps at once
    RETURN true;
END $$;
GRANT EXECUTE ON FUNCTION public_take_claim TO tracemark_portal;
