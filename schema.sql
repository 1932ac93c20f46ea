-- The newest shape of every table. It can run repeatedly: migrations.py runs it at every start, in one
-- transaction with the steps that an older file needs first. Times are whole seconds since 1970, UTC.
-- NOTE: a new column also needs a migration, and comes last in its table there and here.

CREATE TABLE IF NOT EXISTS models (
    id             INTEGER PRIMARY KEY,
    key            TEXT NOT NULL UNIQUE,
    label          TEXT NOT NULL,
    active         INTEGER NOT NULL DEFAULT 0 CHECK (active IN (0, 1)),
    context_length INTEGER,                             -- tokens; NULL: unknown
    inputs         TEXT NOT NULL DEFAULT 'text',        -- what it can read, separated by commas: text,image,file
    gone_at        INTEGER,                             -- since when it is no longer offered (free of charge)
    removed_at     INTEGER,                             -- when the owner took it off the list
    paid           INTEGER NOT NULL DEFAULT 0 CHECK (paid IN (0, 1)),   -- the owner added it although it costs money
    by_hand        INTEGER NOT NULL DEFAULT 0 CHECK (by_hand IN (0, 1)) -- the owner added it
);

-- At most one row may be active: the index covers only active rows, which all have the same value.
CREATE UNIQUE INDEX IF NOT EXISTS ux_models_single_active ON models (active) WHERE active = 1;

-- Without a rowid a person's notes are stored next to each other, so that a page of them is read quickly.
CREATE TABLE IF NOT EXISTS notes (
    user_id    INTEGER NOT NULL,
    number     INTEGER NOT NULL,                        -- #1, #2, ... for each person, never reused
    text       TEXT NOT NULL,
    created_at INTEGER NOT NULL CHECK (typeof(created_at) = 'integer' AND created_at BETWEEN 0 AND 253402214399),
    source     TEXT UNIQUE,                             -- what it was made from: the same source makes no second note
    edited_at  INTEGER,
    deleted_at INTEGER,                                 -- since when it is in the bin
    deleted_by TEXT,                                    -- the source of the command that deleted it
    pinned_at  INTEGER,
    entities   TEXT,                                    -- JSON: the formatting, in Telegram's form
    origin     TEXT,                                    -- JSON: whom it was forwarded from
    files      TEXT,                                    -- JSON: its files, by Telegram's ids
    previous   TEXT,                                    -- JSON: text, entities, files before each recent edit
    PRIMARY KEY (user_id, number)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS ix_notes_user_created ON notes (user_id, created_at) WHERE deleted_at IS NULL;
CREATE INDEX IF NOT EXISTS ix_notes_pinned ON notes (user_id, pinned_at) WHERE pinned_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS ix_notes_deleted ON notes (user_id, deleted_at) WHERE deleted_at IS NOT NULL;

-- The highest number among the notes that were deleted from the bin for good.
CREATE TABLE IF NOT EXISTS used_numbers (
    user_id INTEGER PRIMARY KEY,
    number  INTEGER NOT NULL
);

-- Which notes contain which words: storage/word_index.py builds these three tables from the notes.
CREATE TABLE IF NOT EXISTS words (
    user_id INTEGER NOT NULL,
    word    TEXT NOT NULL,
    id      INTEGER,                                    -- of its `postings`; NULL: it has none
    numbers BLOB,                                       -- of notes that are not in `postings`, four bytes each
    PRIMARY KEY (user_id, word)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS postings (
    word_id INTEGER NOT NULL,
    block   INTEGER NOT NULL,                           -- number / 4096
    bits    BLOB NOT NULL,
    PRIMARY KEY (word_id, block)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS vocabulary (
    user_id INTEGER NOT NULL,
    chunk   INTEGER NOT NULL,
    words   TEXT NOT NULL,                              -- each followed by a line end
    PRIMARY KEY (user_id, chunk)
) WITHOUT ROWID;

-- The messages that a note was sent in or is shown in: editing one, or replying to it, refers to the note.
CREATE TABLE IF NOT EXISTS note_messages (
    chat_id    INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    user_id    INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    PRIMARY KEY (chat_id, message_id)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS ix_note_messages ON note_messages (user_id, number);

-- What a person has chosen in /settings.
CREATE TABLE IF NOT EXISTS preferences (
    user_id INTEGER NOT NULL,
    name    TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (user_id, name)
) WITHOUT ROWID;

-- The journal: updates from Telegram, stored before they are confirmed to Telegram. It has its own numbers,
-- since Telegram's restart with another bot and after a quiet week: the same number may be another update.
-- They are never below the clock in microseconds, so that a new journal reuses no number that a note refers to.
CREATE TABLE IF NOT EXISTS updates (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    update_id   INTEGER NOT NULL,
    identity    TEXT NOT NULL,                          -- distinguishes a repetition from another update with that number
    body        TEXT,                                   -- JSON; NULL once it is done
    received_at INTEGER NOT NULL,
    state       TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'done', 'parked')),
    tries       INTEGER NOT NULL DEFAULT 0,             -- failed attempts
    answer_ids  TEXT NOT NULL DEFAULT '',               -- ids of its answer's messages, separated by commas
    UNIQUE (update_id, identity)
);

CREATE INDEX IF NOT EXISTS ix_updates_state ON updates (state, received_at);

CREATE TABLE IF NOT EXISTS people (
    user_id    INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    owner      INTEGER NOT NULL DEFAULT 0 CHECK (owner IN (0, 1)),
    joined_at  INTEGER NOT NULL,
    removed_at INTEGER
);

CREATE UNIQUE INDEX IF NOT EXISTS ux_people_single_owner ON people (owner) WHERE owner = 1;

-- A question and its answer. `parent_id` is the turn before it in the conversation, which several may share.
CREATE TABLE IF NOT EXISTS turns (
    id            INTEGER PRIMARY KEY,
    entry_id      INTEGER UNIQUE,                       -- the journal number of the update that asked it
    parent_id     INTEGER REFERENCES turns (id),
    user_id       INTEGER NOT NULL,
    model_id      INTEGER NOT NULL REFERENCES models (id),  -- the one asked
    question      TEXT NOT NULL,
    context       TEXT NOT NULL DEFAULT '',             -- the text that the question is about
    media         TEXT NOT NULL DEFAULT '',             -- JSON: the photo or file that came with it
    answer        TEXT NOT NULL DEFAULT '',
    finish_reason TEXT,
    asked_at      INTEGER NOT NULL                      -- 0: no model was asked (yet)
);

-- The messages that an answer is shown in: a reply to any of them continues from that answer.
CREATE TABLE IF NOT EXISTS turn_messages (
    chat_id    INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    turn_id    INTEGER NOT NULL REFERENCES turns (id),
    PRIMARY KEY (chat_id, message_id)
) WITHOUT ROWID;

-- Every request to a model, for /usage.
CREATE TABLE IF NOT EXISTS attempts (
    at       INTEGER NOT NULL,
    user_id  INTEGER NOT NULL,
    model_id INTEGER NOT NULL REFERENCES models (id),
    ms       INTEGER NOT NULL,
    tokens   INTEGER NOT NULL DEFAULT 0,
    failed   INTEGER NOT NULL CHECK (failed IN (0, 1))
);

CREATE INDEX IF NOT EXISTS ix_attempts_at ON attempts (at);

-- Single values to keep across restarts.
CREATE TABLE IF NOT EXISTS facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Codes of one-time links, as hashes: reading the file reveals none of them.
CREATE TABLE IF NOT EXISTS codes (
    hash       TEXT PRIMARY KEY,
    owner      INTEGER NOT NULL CHECK (owner IN (0, 1)),  -- 1: makes its user the owner
    expires_at INTEGER NOT NULL
);

-- The messages that a note was made from, and the place of each in its text: editing one edits the note.
CREATE TABLE IF NOT EXISTS note_pieces (
    chat_id    INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    user_id    INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    start      INTEGER NOT NULL,                        -- in the note's text, in UTF-16 units, like length
    length     INTEGER NOT NULL,
    checksum   INTEGER NOT NULL,                        -- of the piece, to see whether it is still there
    file       TEXT NOT NULL DEFAULT '',                -- Telegram's unique id of the message's file
    PRIMARY KEY (chat_id, message_id)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS ix_note_pieces ON note_pieces (user_id, number);

-- Texts too long for the 64 bytes of a button's data, which holds their id instead.
CREATE TABLE IF NOT EXISTS recalled (
    id      INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL,
    text    TEXT NOT NULL,
    UNIQUE (user_id, text)
);

-- The catalogue. Only missing models are added: a file of the course keeps its rows, ids and active model;
-- a model whose id is already taken there gets the next free one (these are inserted last).
WITH catalogue (id, key, label) AS (VALUES
    (1, 'deepseek/deepseek-chat-v3.1:free', 'DeepSeek V3.1 (free)'),
    (2, 'deepseek/deepseek-r1:free', 'DeepSeek R1 (free)'),
    (3, 'mistralai/mistral-small-24b-instruct-2501:free', 'Mistral Small 24b (free)'),
    (4, 'meta-llama/llama-3.1-8b-instruct:free', 'Llama 3.1 8B (free)'),
    (5, 'google/gemma-4-31b-it:free', 'Gemma 4 31B (free)'),
    (6, 'google/gemma-4-26b-a4b-it:free', 'Gemma 4 26B A4B (free)'),
    (7, 'nvidia/nemotron-3-ultra-550b-a55b:free', 'Nemotron 3 Ultra (free)'),
    (8, 'nvidia/nemotron-3-nano-omni-30b-a3b-reasoning:free', 'Nemotron 3 Nano Omni (free)'),
    (9, 'cohere/north-mini-code:free', 'North Mini Code (free)'),
    (10, 'openrouter/free', 'OpenRouter: любая бесплатная')
)
INSERT INTO models (id, key, label)
SELECT iif(id IN (SELECT id FROM models), NULL, id), key, label
FROM catalogue
WHERE key NOT IN (SELECT key FROM models)
ORDER BY id IN (SELECT id FROM models), id;

UPDATE models SET active = 1
WHERE id = (SELECT min(id) FROM models) AND NOT EXISTS (SELECT 1 FROM models WHERE active = 1);
