-- What shoppers ask for because of a recall: one of at least two remedies, without an account, followed by a link.
CREATE TABLE remedy_claim (
    claim_id  bigint GENERATED ALWAYS AS IDENTITY,
    reference text NOT NULL,                   -- unguessable: the link to the claim's state
    case_id   bigint NOT NULL,
    remedy    text NOT NULL,
    code      text NOT NULL DEFAULT '',        -- lot, serial or code, as typed
    pieces    integer NOT NULL,
    contact   text,                            -- given for this claim alone; deleted with its retention
    language  text NOT NULL,
    state     text NOT NULL DEFAULT 'received', taken_at timestamptz NOT NULL,
    answer    text NOT NULL DEFAULT '', answered_by text, answered_at timestamptz,
    CONSTRAINT remedy_claim_pkey PRIMARY KEY (claim_id),
    CONSTRAINT remedy_claim_reference_key UNIQUE (reference),
    CONSTRAINT remedy_claim_case_fkey FOREIGN KEY (case_id) REFERENCES recall_case,
    CONSTRAINT remedy_claim_remedy_check CHECK (remedy IN ('refund', 'replacement', 'repair')),
    CONSTRAINT remedy_claim_state_check CHECK (state IN ('received', 'accepted', 'refused', 'done')),
    CONSTRAINT remedy_claim_size_check CHECK (length(code) <= 200 AND length(contact) <= 200 AND pieces BETWEEN 1 AND 1000)
);
CREATE INDEX remedy_claim_state ON remedy_claim (state, claim_id);

-- The remedies that a shopper may choose from: always two at least. None for a case that is not public, or no recall.
CREATE FUNCTION public_claim_choices(p_number text) RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT CASE c.remedy WHEN 'repair' THEN ARRAY['repair', 'refund'] ELSE ARRAY['refund', 'replacement'] END
    FROM publication p JOIN recall_case c USING (case_id)
    WHERE p.number = p_number AND p.kind = 'recall' AND p.state IN ('published', 'closing') $$;
CREATE FUNCTION public_take_claim(p_reference text, p_number text, p_remedy text, p_code text, p_pieces integer,
                                  p_contact text, p_language text, p_at timestamptz, p_open_max integer)
    RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF NOT p_remedy = ANY (coalesce(public_claim_choices(p_number), '{}'))
       OR (SELECT count(*) FROM (SELECT FROM remedy_claim WHERE state = 'received' LIMIT p_open_max) AS o) >= p_open_max THEN
        RETURN false;
    END IF;
    INSERT INTO remedy_claim (reference, case_id, remedy, code, pieces, contact, language, taken_at)
    SELECT p_reference, case_id, p_remedy, p_code, p_pieces, p_contact, p_language, p_at
    FROM publication WHERE number = p_number;
    RETURN true;
END $$;
-- Whoever has the link sees what was asked for and what came of it; the contact is not shown again.
CREATE FUNCTION public_claim(p_reference text)
    RETURNS TABLE (number text, remedy text, pieces integer, state text, answer text, taken_at timestamptz, answered_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT c.number, r.remedy, r.pieces, r.state, r.answer, r.taken_at, r.answered_at
    FROM remedy_claim r JOIN recall_case c USING (case_id) WHERE r.reference = p_reference $$;
GRANT EXECUTE ON FUNCTION public_claim_choices, public_take_claim, public_claim TO tracemark_portal;
