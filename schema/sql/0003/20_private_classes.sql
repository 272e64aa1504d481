-- Classes without a GTIN: raw material that is known by its supplier's own URI only. Each gets a key of ours that has the form
-- of a GTIN and can be none (an indicator before a restricted circulation number, 9 04 …), so that it is a product with one lot
-- everywhere, shown by its URI.
CREATE TABLE private_class (
    uri  text NOT NULL,
    gtin text NOT NULL,
    lot  text NOT NULL,
    CONSTRAINT private_class_pkey PRIMARY KEY (uri),
    CONSTRAINT private_class_gtin_key UNIQUE (gtin),
    CONSTRAINT private_class_gtin_check CHECK (gtin ~ '^904[0-9]{11}$')
);
