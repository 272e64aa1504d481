-- What a pack of codes shall hold that a worker makes: recipient, file format, columns, codes of a list, and its password in an
-- envelope that only the master secret opens; the envelope goes when the pack is made, refused or cancelled.
ALTER TABLE label_render ADD COLUMN recipe jsonb;
