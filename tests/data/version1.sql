BEGIN TRANSACTION;
CREATE TABLE attempts (
    at       INTEGER NOT NULL,
    user_id  INTEGER NOT NULL,
    model_id INTEGER NOT NULL REFERENCES models (id),
    ms       INTEGER NOT NULL,
    tokens   INTEGER NOT NULL DEFAULT 0,
    failed   INTEGER NOT NULL CHECK (failed IN (0, 1))
);
INSERT INTO "attempts" VALUES(1795666006,11,1,100,5,0);
CREATE TABLE codes (
    hash       TEXT PRIMARY KEY,
    owner      INTEGER NOT NULL CHECK (owner IN (0, 1)),  -- 1: makes its user the owner
    expires_at INTEGER NOT NULL
);
CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE models (
    id             INTEGER PRIMARY KEY,
    key            TEXT NOT NULL UNIQUE,
    label          TEXT NOT NULL,
    active         INTEGER NOT NULL DEFAULT 0 CHECK (active IN (0, 1)),
    context_length INTEGER,                             -- tokens; NULL: not known
    inputs         TEXT NOT NULL DEFAULT 'text',        -- what it reads, by commas: text,image,file
    gone_at        INTEGER,                             -- not offered (free) any more since
    removed_at     INTEGER,                             -- the owner does not want it in the list
    paid           INTEGER NOT NULL DEFAULT 0 CHECK (paid IN (0, 1))  -- the owner added it although it costs
);
INSERT INTO "models" VALUES(1,'deepseek/deepseek-chat-v3.1:free','DeepSeek V3.1 (free)',0,NULL,'text',NULL,NULL,0);
INSERT INTO "models" VALUES(2,'deepseek/deepseek-r1:free','DeepSeek R1 (free)',0,NULL,'text',NULL,NULL,0);
INSERT INTO "models" VALUES(3,'mistralai/mistral-small-24b-instruct-2501:free','Mistral Small 24b (free)',1,NULL,'text',NULL,NULL,0);
INSERT INTO "models" VALUES(4,'meta-llama/llama-3.1-8b-instruct:free','Llama 3.1 8B (free)',0,NULL,'text',NULL,NULL,0);
INSERT INTO "models" VALUES(5,'google/gemma-4-31b-it:free','Gemma 4 31B (free)',0,NULL,'text',NULL,NULL,0);
INSERT INTO "models" VALUES(6,'google/gemma-4-26b-a4b-it:free','Gemma 4 26B A4B (free)',0,NULL,'text',NULL,NULL,0);
INSERT INTO "models" VALUES(7,'nvidia/nemotron-3-ultra-550b-a55b:free','Nemotron 3 Ultra (free)',0,NULL,'text',NULL,NULL,0);
INSERT INTO "models" VALUES(8,'nvidia/nemotron-3-nano-omni-30b-a3b-reasoning:free','Nemotron 3 Nano Omni (free)',0,NULL,'text',NULL,NULL,0);
INSERT INTO "models" VALUES(9,'cohere/north-mini-code:free','North Mini Code (free)',0,NULL,'text',NULL,NULL,0);
INSERT INTO "models" VALUES(10,'openrouter/free','OpenRouter: любая бесплатная',0,NULL,'text',NULL,NULL,0);
CREATE TABLE notes (
    id                 INTEGER PRIMARY KEY,
    user_id            INTEGER NOT NULL,
    number             INTEGER NOT NULL,                -- #1, #2, ... of this person; rows stay, so never used twice
    text               TEXT NOT NULL,
    folded             TEXT NOT NULL,                   -- db.fold(text): what a search looks through
    created_at         INTEGER NOT NULL,
    source             TEXT UNIQUE,                     -- what it came from: handled twice, that is one note
    edited_at          INTEGER,
    deleted_at         INTEGER,
    deleted_by         TEXT,                            -- the source of the command that deleted it
    UNIQUE (user_id, number)
);
INSERT INTO "notes" VALUES(1,11,1,'Ёлка и шары','елка и шары',1700000001,'update 1',NULL,NULL,NULL);
INSERT INTO "notes" VALUES(2,11,2,'позвонить врачам','позвонить врачам',1700000002,'update 2',1700000500,NULL,NULL);
INSERT INTO "notes" VALUES(3,11,3,'Алекса́ндр Пу́шкин','алекса́ндр пу́шкин',1700000003,'update 3',NULL,NULL,NULL);
INSERT INTO "notes" VALUES(4,11,4,'5 кг сахара','5 кг сахара',1700000004,'update 4',NULL,NULL,NULL);
INSERT INTO "notes" VALUES(5,11,5,'код 38К2580
вторая строка','код 38к2580
вторая строка',1700000005,'update 5',NULL,NULL,NULL);
INSERT INTO "notes" VALUES(6,11,6,'#дом купить лампу','#дом купить лампу',1700000006,'update 6',NULL,NULL,NULL);
INSERT INTO "notes" VALUES(7,11,7,'C++ и 50%','c++ и 50%',1700000007,'update 7',NULL,1700000600,'update 91');
INSERT INTO "notes" VALUES(8,12,1,'дело Бориса','дело бориса',1700000100,'update 90',NULL,NULL,NULL);
INSERT INTO "notes" VALUES(9,11,8,'в миллисекундах','в миллисекундах',1700000000000,NULL,NULL,NULL,NULL);
INSERT INTO "notes" VALUES(10,11,9,'текстом','текстом','2023-11-14T22:13:20Z',NULL,NULL,NULL,NULL);
INSERT INTO "notes" VALUES(11,11,10,'вчера','вчера','вчера',NULL,NULL,NULL,NULL);
INSERT INTO "notes" VALUES(12,11,11,'до эпохи','до эпохи',-5,NULL,NULL,NULL,NULL);
CREATE TABLE people (
    user_id    INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    owner      INTEGER NOT NULL DEFAULT 0 CHECK (owner IN (0, 1)),
    joined_at  INTEGER NOT NULL,
    removed_at INTEGER
);
INSERT INTO "people" VALUES(11,'Анна',1,1795666006,NULL);
INSERT INTO "people" VALUES(12,'Борис',0,1795666006,NULL);
CREATE TABLE turn_messages (
    chat_id    INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    turn_id    INTEGER NOT NULL REFERENCES turns (id),
    PRIMARY KEY (chat_id, message_id)
) WITHOUT ROWID;
INSERT INTO "turn_messages" VALUES(11,5,1);
INSERT INTO "turn_messages" VALUES(11,6,1);
CREATE TABLE turns (
    id            INTEGER PRIMARY KEY,
    update_id     INTEGER UNIQUE,                       -- the number in the journal of what asked it
    parent_id     INTEGER REFERENCES turns (id),
    user_id       INTEGER NOT NULL,
    model_id      INTEGER NOT NULL REFERENCES models (id),  -- that was asked
    question      TEXT NOT NULL,
    context       TEXT NOT NULL DEFAULT '',             -- a text that the question is about
    media         TEXT NOT NULL DEFAULT '',             -- JSON: a photo or file that came with it
    answer        TEXT NOT NULL DEFAULT '',
    finish_reason TEXT,
    asked_at      INTEGER NOT NULL
);
INSERT INTO "turns" VALUES(1,1,NULL,11,1,'вопрос','','','ответ','stop',1795666006);
CREATE TABLE updates (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    update_id   INTEGER NOT NULL,
    identity    TEXT NOT NULL,                          -- tells a repetition from another update of that number
    body        TEXT,                                   -- JSON; NULL as soon as it is done
    received_at INTEGER NOT NULL,
    state       TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'done', 'parked')),
    tries       INTEGER NOT NULL DEFAULT 0,             -- that ended badly
    answer_ids  TEXT NOT NULL DEFAULT '',               -- messages that its answer goes on in, by commas
    UNIQUE (update_id, identity)
);
INSERT INTO "updates" VALUES(1,1,'[["message", null, 1, 1700000001, 11, 11]]',NULL,1795666006,'done',0,'');
INSERT INTO "updates" VALUES(2,2,'[["message", null, 2, 1700000002, 11, 11]]',NULL,1795666006,'done',0,'');
INSERT INTO "updates" VALUES(3,3,'[["message", null, 3, 1700000003, 11, 11]]',NULL,1795666006,'done',0,'');
INSERT INTO "updates" VALUES(4,4,'[["message", null, 4, 1700000004, 11, 11]]',NULL,1795666006,'done',0,'');
INSERT INTO "updates" VALUES(5,5,'[["message", null, 5, 1700000005, 11, 11]]',NULL,1795666006,'done',0,'');
INSERT INTO "updates" VALUES(6,6,'[["message", null, 6, 1700000006, 11, 11]]',NULL,1795666006,'done',0,'');
INSERT INTO "updates" VALUES(7,7,'[["message", null, 7, 1700000007, 11, 11]]',NULL,1795666006,'done',0,'');
INSERT INTO "updates" VALUES(8,8,'[["message", null, 8, 1700000008, 11, 11]]','{"update_id": 8, "message": {"message_id": 8, "date": 1700000008, "from": {"id": 11}, "chat": {"id": 11, "type": "private"}, "text": "/note_add \u0432\u043e\u0441\u044c\u043c\u0430\u044f"}}',1795666006,'new',0,'');
INSERT INTO "updates" VALUES(9,9,'[["message", null, 9, 1700000009, 11, 11]]','{"update_id": 9, "message": {"message_id": 9, "date": 1700000009, "from": {"id": 11}, "chat": {"id": 11, "type": "private"}, "text": "\u043f\u043b\u043e\u0445\u043e\u0435"}}',1795666006,'parked',0,'');
CREATE UNIQUE INDEX ux_models_single_active ON models (active) WHERE active = 1;
CREATE INDEX ix_notes_user_created ON notes (user_id, created_at) WHERE deleted_at IS NULL;
CREATE INDEX ix_updates_new ON updates (id) WHERE state = 'new';
CREATE UNIQUE INDEX ux_people_single_owner ON people (owner) WHERE owner = 1;
CREATE INDEX ix_attempts_at ON attempts (at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('updates',9);
COMMIT;
PRAGMA user_version = 1;
