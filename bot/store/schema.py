"""The tables, as an append-only list of migrations. Each runs once, in a transaction. No queries.

Times are ISO 8601 text in UTC with microseconds, so that they sort; durations are seconds; keys are
16-byte blobs. A migration depends on nothing that another version of newsbell may change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store.frozen_publishers import publisher_group
from bot.store.migration_list import MigrationList

if TYPE_CHECKING:
    from sqlite_utils import Database

migrations = MigrationList("newsbell")


@migrations()
def m001_first_tables(db: Database) -> None:
    """Feeds, entries, chats, subscriptions, alerts, outbox."""
    _execute(db, _FIRST)


@migrations()
def m002_languages_and_search(db: Database) -> None:
    """The language of entries, the search index, and queries that chats have to confirm."""
    _execute(db, _SECOND)


@migrations()
def m003_stories(db: Database) -> None:
    """Levels of stories, why entries belong to them, publishers, alert options, stances."""
    _execute(db, _THIRD)
    rows = db.execute(
        "select distinct feed_id, source, publisher from entries join feeds f on f.id = feed_id"
    ).fetchall()
    for row in rows:
        group = publisher_group(row["source"] or row["publisher"])
        db.execute(
            "update entries set house = ?, origin = ? where feed_id = ? and source = ?",
            [group, group, row["feed_id"], row["source"]],
        )


@migrations()
def m004_people(db: Database) -> None:
    """Settings of chats, screens, feeds and channels of people, links with a purpose, digests."""
    _execute(db, _FOURTH)


@migrations()
def m005_feed_leases(db: Database) -> None:
    """A token for each claim of a feed, so that only the newest claim is kept."""
    _execute(db, "alter table feeds add column lease integer not null default 0")


@migrations()
def m006_rights(db: Database) -> None:
    """How chats were admitted, and what each chat calls the feeds that it added."""
    _execute(db, _SIXTH)


@migrations()
def m007_pending_alerts(db: Database) -> None:
    """Find the newest pending alerts of a chat without those of years."""
    _execute(db, "create index alerts_pending on alerts (chat_id, created_at) where held = 1")


@migrations()
def m008_age(db: Database) -> None:
    """Indexes and marks by which no work grows with the age of the database."""
    _execute(db, _EIGHTH)


@migrations()
def m009_polls(db: Database) -> None:
    """How long feeds take to answer, and how many of their entries cannot be read."""
    _execute(db, _NINTH)


@migrations()
def m010_undecided_tries(db: Database) -> None:
    """When a delivery was first left undecided; what earlier versions stored amiss is mended."""
    _execute(db, "alter table outbox add column doubted_at text")
    _mend_addresses(db)
    _split_deliveries(db)


@migrations()
def m011_hints(db: Database) -> None:
    """Which hint of its publisher `every` of a feed overrules."""
    _execute(db, _ELEVENTH)


@migrations()
def m012_tried_deliveries(db: Database) -> None:
    """Find what was tried and waits again: it may have arrived just before a start."""
    db.execute("create index outbox_tried on outbox (id) where state = 'queued' and attempts > 0")


@migrations()
def m013_floods(db: Database) -> None:
    """How far a feed's old-looking articles are believed; which ones of earlier floods were old."""
    _execute(db, _THIRTEENTH)


@migrations()
def m014_developments(db: Database) -> None:
    """Notes of developments, how chats hear of them, and which entries confirm their story."""
    _execute(db, _FOURTEENTH)


@migrations()
def m015_phrases(db: Database) -> None:
    """The text of a notice for each language; earlier ones stay English."""
    db.execute("alter table outbox add column phrase text not null default ''")


@migrations()
def m016_search_in_steps(db: Database) -> None:
    """The search index is merged and emptied in steps, by `search_index`."""
    _execute(db, _SIXTEENTH)


@migrations()
def m017_host_pace(db: Database) -> None:
    """How often each host may be asked, as its refusals taught."""
    _execute(db, _SEVENTEENTH)


@migrations()
def m018_late_answers(db: Database) -> None:
    """Which answers in a group are of no use any more when they come late."""
    db.execute("alter table outbox add column expires integer not null default 0")
    db.execute(
        "create index outbox_expiring on outbox (created_at) where state = 'queued' and expires = 1"
    )


@migrations()
def m019_boilerplate(db: Database) -> None:
    """What a feed's texts have in common, and headlines without it."""
    db.execute("alter table feeds add column boilerplate text not null default ''")
    db.execute("alter table entries add column core text not null default ''")


@migrations()
def m020_next_digests(db: Database) -> None:
    """When the next digest of a chat goes out, for whoever asks why a message waits."""
    db.execute("alter table chats add column next_digest_at text")
    db.execute("update chats set hours_at = ''")


@migrations()
def m021_shown_messages(db: Database) -> None:
    """A digest of what the message of an alert shows, by which a change that is none is known."""
    db.execute("alter table alerts add column shown blob not null default x''")


@migrations()
def m022_records(db: Database) -> None:
    """What was decided about matches, and how subscriptions read when articles came."""
    _execute(db, _TWENTY_SECOND)


@migrations()
def m023_forecasts(db: Database) -> None:
    """How many alerts a week were forecast of a subscription when it was made."""
    db.execute(
        "create table forecasts (subscription_id integer primary key references subscriptions (id),"
        " low integer not null, high integer not null, at text not null)"
    )


@migrations()
def m024_rhythm(db: Database) -> None:
    """When feeds publish, so that one that stopped is noticed; and how late they are seen."""
    _execute(db, _TWENTY_FOURTH)


@migrations()
def m025_chat_numbers(db: Database) -> None:
    """The number of each subscription in its chats, and which messages ask for a reply.

    A number stays while the subscription lives; who restores one whose number is another's by now
    gets the next.
    """
    db.execute("alter table outbox add column asks integer not null default 0")
    db.execute(
        "create table chat_numbers (chat_id integer not null, subscription_id integer not null, "
        "number integer not null, primary key (chat_id, subscription_id)) without rowid"
    )
    db.execute(
        "insert into chat_numbers select chat_id, subscription_id, row_number() over "
        "(partition by chat_id order by removed_at is not null, subscription_id) "
        "from routes join subscriptions on id = subscription_id"
    )
    for trigger in _NUMBER_TRIGGERS:
        db.execute(trigger)


@migrations()
def m026_retention(db: Database) -> None:
    """Find the oldest alerts, where they are not kept forever."""
    db.execute("create index alerts_created on alerts (created_at)")


@migrations()
def m027_message_references(db: Database) -> None:
    """By which services other than Telegram know messages; our number is that of the delivery."""
    db.execute(
        "create table message_references (chat_id integer not null, message_id integer not null, "
        "reference text not null, primary key (chat_id, message_id)) without rowid"
    )
    db.execute(
        "create trigger references_forgotten after delete on alerts "
        "when old.message_id is not null begin "
        "delete from message_references where chat_id = old.chat_id "
        "and message_id = old.message_id and not exists (select 1 from alerts "
        "where chat_id = old.chat_id and message_id = old.message_id); end"
    )


@migrations()
def m028_quoted_links(db: Database) -> None:
    """What an entry is about, as the key of its link: the article or post that a post links to."""
    db.execute("alter table entries add column quoted_key blob not null default x''")


@migrations()
def m029_bodies(db: Database) -> None:
    """The text of entries that feeds carry, their categories, and how much of it a feed is for."""
    db.execute("create table bodies (entry_id integer primary key, packed blob not null)")
    db.execute("alter table entries add column categories text not null default ''")
    db.execute("alter table feeds add column text text not null default 'feed'")


@migrations()
def m030_web(db: Database) -> None:
    """The secret words of the web page."""
    _execute(db, _WEB)


@migrations()
def m031_forgotten(db: Database) -> None:
    """Which chats are forgotten, part by part; find what a person took over."""
    db.execute("alter table chats add column forgotten_at text")
    db.execute("create index alerts_taken on alerts (taken_user) where taken_user != 0")


@migrations()
def m032_pages(db: Database) -> None:
    """The pages of articles that are read for their text, and what alerts show of them."""
    _execute(db, _PAGES)


@migrations()
def m033_hubs(db: Database) -> None:
    """What is agreed with hubs that tell of news of feeds."""
    db.execute(
        "create table hubs (feed_id integer primary key references feeds (id) on delete cascade, "
        "hub text not null, topic text not null, next_at text not null, until text, "
        "tries integer not null default 0)"
    )
    db.execute("create index hubs_due on hubs (next_at)")


@migrations()
def m034_features(db: Database) -> None:
    """What grouping made of the entries of the last days, so that it is read and not computed."""
    db.execute(
        "create table features "
        "(entry_id integer primary key, version integer not null, packed text not null)"
    )


@migrations()
def m035_withdrawn(db: Database) -> None:
    """When a feed took an entry back."""
    db.execute("alter table entries add column withdrawn_at text")


@migrations()
def m036_updates(db: Database) -> None:
    """What becomes of articles after their alerts were sent, and how chats hear of it."""
    _execute(db, _UPDATES)


@migrations()
def m037_nodes(db: Database) -> None:
    """Several machines on one database: who they are, what each claimed, what they hand over."""
    _execute(db, _NODES)


@migrations()
def m040_shared_claims(db: Database) -> None:
    """Claims cost the same however many feeds there are, and how many of them at one host."""
    _execute(db, _CLAIMS)


@migrations()
def m041_requests(db: Database) -> None:
    """What nodes tell of themselves, how old what they hand over is, and what they ask for."""
    _execute(db, _REQUESTS)


def _mend_addresses(db: Database) -> None:
    """Undo moves of groups to what is no other address: a server's absurd answer was stored."""
    for row in db.execute("select * from meta where name like 'moved:%'").fetchall():
        old, new = row["name"].removeprefix("moved:"), row["value"]
        if old == new:
            db.execute(
                "update chats set paused = '', allowed = 1 "
                "where address = ? and paused = 'it became a supergroup'",
                [int(old)],
            )
        elif new.removeprefix("-").isdecimal() and len(new) < 18:
            continue
        else:
            db.execute(
                "update or ignore chats set address = ? where typeof(address) != 'integer' "
                "and cast(address as text) = ?",
                [int(old), new],
            )
        db.execute("delete from meta where name = ?", [row["name"]])
    # What is left leads nowhere: Telegram will say so, and the chat is paused.
    db.execute("update chats set address = -id where typeof(address) != 'integer'")


def _split_deliveries(db: Database) -> None:
    """Leave no delivery more stories than a message names: the others were never shown."""
    page = 25
    rows = db.execute(
        "select outbox_id, count(*) as stories from outbox_alerts "
        "join outbox on id = outbox_id where state = 'queued' and kind = 'alert' "
        "group by 1 having stories > ?",
        [page],
    ).fetchall()
    for row in rows:
        stories = db.execute(
            "select story_id from outbox_alerts join alerts using (chat_id, story_id) "
            "where outbox_id = ? order by created_at, story_id",
            [row["outbox_id"]],
        ).fetchall()
        for first in range(page, len(stories), page):
            number = db.execute(
                "insert into outbox (chat_id, kind, priority, created_at) "
                "select chat_id, kind, priority, created_at from outbox where id = ?",
                [row["outbox_id"]],
            ).lastrowid
            db.conn.executemany(
                "update outbox_alerts set outbox_id = ? where outbox_id = ? and story_id = ?",
                [
                    (number, row["outbox_id"], story["story_id"])
                    for story in stories[first : first + page]
                ],
            )


def _execute(db: Database, statements: str) -> None:
    """Run statements one by one: `executescript` would end the transaction."""
    for statement in statements.split(";\n"):
        if statement.strip():
            db.execute(statement)


# Of a flood, what was older than a day sent no alert.
_THIRTEENTH = """
alter table feeds add column trust real not null default 1;
alter table feeds add column most_old integer not null default 0;
update entries set silent = 'archive' where silent = 'flood'
  and (published is null or julianday(published) <= julianday(first_seen_at) - 1)
"""
_SEVENTEENTH = """
alter table hosts add column reason text not null default '';
alter table hosts add column interval real not null default 0;
alter table hosts add column proven real not null default 0;
alter table hosts add column refused_interval real not null default 0;
alter table hosts add column since text;
alter table hosts add column held integer not null default 0;
alter table hosts add column patience integer not null default 10;
alter table hosts add column refusals integer not null default 0;
alter table hosts add column asked_at text;
create index feeds_host on feeds (host) where active = 1
"""
_ELEVENTH = """
alter table feeds add column hint real not null default 0;
alter table feeds add column hint_reason text not null default ''
"""
# Of entries up to the meta value `recorded_after` nobody knows what was decided. A version of a
# subscription holds for the entries after `after_entry`, until the next version.
_TWENTY_SECOND = """
create table match_records (
  entry_id integer not null,
  chat_id integer not null,
  subscription_id integer not null,
  fate integer not null,
  leader integer not null default 0,
  primary key (entry_id, chat_id, subscription_id)
) without rowid;
create table subscription_versions (
  id integer primary key,
  subscription_id integer not null,
  after_entry integer not null,
  at text not null,
  version text not null
);
create index subscription_versions_of on subscription_versions (subscription_id, id);
insert or replace into meta
  select 'recorded_after', max(id) from entries having max(id) is not null
"""
_TWENTY_FOURTH = """
alter table feeds add column news_at text;
alter table feeds add column rhythm_at text;
alter table feeds add column pauses real not null default 0;
alter table feeds add column longest_pause real not null default 0;
alter table feeds add column stopped integer not null default 0;
alter table feeds add column delay real
"""
# An alert with `note_of` is a note: a reply to the chat's alert of that story. A story's first
# entry confirms it, whatever `confirms` says.
_FOURTEENTH = """
alter table alerts add column note_of integer;
create index alerts_notes on alerts (chat_id, note_of) where note_of is not null;
alter table entries add column confirms integer not null default 1;
alter table subscriptions add column developments text not null default ''
"""
# A change of an article is kept once for each chat that has its alert: `mark` is a digest of what
# it says. `reply` is the number of the alert that tells it, which has an `update_form`: `note` or
# `alert`.
_UPDATES = """
alter table subscriptions add column updates text not null default '';
alter table alerts add column update_form text not null default '';
create table update_records (
  id integer primary key autoincrement,
  entry_id integer not null,
  chat_id integer not null,
  mark blob not null,
  kind text not null,
  title text not null, before text not null, status text not null, text text not null,
  at text not null,
  fate text not null,
  reply integer,
  unique (entry_id, chat_id, mark)
);
create index update_records_reply on update_records (chat_id, reply)
"""
# `terms` holds the keys of a page's words, in the order of the alphabet; its text is not kept.
_PAGES = """
create table pages (
  entry_id integer primary key,
  link text not null,
  link_key blob not null,
  state text not null,
  tries integer not null default 0,
  next_at text not null,
  at text,
  failure text not null default '',
  terms blob not null default x''
);
create index pages_waiting on pages (next_at) where state = 'waiting';
create index pages_link on pages (link_key);
create index pages_settled on pages (at) where at is not null;
alter table alert_matches add column snippet text not null default ''
"""
# `beat` is in seconds, by the clock of the database's server. `feeds.node` is the one that
# claimed a feed last; empty where there is one machine.
_NODES = """
create table nodes (
  name text primary key,
  leads integer not null,
  version text not null,
  started_at text not null,
  beat real not null
);
create table handed_over (
  id integer primary key,
  node text not null,
  feed_id integer not null,
  packed blob not null
);
alter table feeds add column node text not null default ''
"""
_REQUESTS = """
alter table nodes add column digest text not null default '';
alter table nodes add column ahead real;
alter table handed_over add column brought_at real not null default 0;
create table requests (
  id integer primary key,
  node text not null,
  asked text not null,
  asked_at real not null,
  begun integer not null default 0,
  answer text
)
"""
#: the number that a subscription gets in a chat; the triggers of both engines have it
NEXT_NUMBER = """
    coalesce((
        select max(n.number) from chat_numbers n join subscriptions s on s.id = n.subscription_id
        where n.chat_id = {chat} and s.removed_at is null and s.id != {own}
    ), 0) + 1
"""
_NUMBER_TRIGGERS = (
    f"""
    create trigger routes_numbered after insert on routes begin
        insert or ignore into chat_numbers values (
            new.chat_id, new.subscription_id,
            {NEXT_NUMBER.format(chat="new.chat_id", own="new.subscription_id")});
    end
    """,
    f"""
    create trigger subscriptions_restored after update of removed_at on subscriptions
    when old.removed_at is not null and new.removed_at is null begin
        update chat_numbers set
            number = {NEXT_NUMBER.format(chat="chat_numbers.chat_id", own="new.id")}
        where subscription_id = new.id and exists (
            select 1 from chat_numbers o join subscriptions s on s.id = o.subscription_id
            where o.chat_id = chat_numbers.chat_id and o.number = chat_numbers.number
            and s.id != new.id and s.removed_at is null);
    end
    """,
    """
    create trigger subscriptions_deleted after delete on subscriptions begin
        delete from chat_numbers where subscription_id = old.id;
    end
    """,
)
_NINTH = """
alter table feeds add column seconds real not null default 0;
alter table feeds add column unread integer not null default 0
"""

# A feed is private while it is polled for the chats that added it, and for nobody else.
# Accounts that Telegram lets many write by are nobody: an anonymous administrator, a channel that
# writes in a group, a linked channel.
_SIXTH = """
alter table chats add column entered text not null default '';
alter table feeds add column private integer not null default 0;
update feeds set private = 1 - declared;
alter table feed_chats add column name text not null default '';
alter table feed_chats add column tags text not null default '[]';
update feed_chats set
  name = (select f.name from feeds f where f.id = feed_id),
  tags = (select f.tags from feeds f where f.id = feed_id);
delete from people where user_id in (1087968824, 136817688, 777000)
"""
_FIRST = """
create table meta (name text primary key, value text not null) without rowid;
create table feeds (
  id integer primary key,
  url text not null unique,
  name text not null,
  publisher text not null,
  tags text not null default '[]',
  every real,
  active integer not null default 1,
  created_at text not null,
  host text not null,
  lease_until text,
  next_poll_at text not null,
  etag text, last_modified text, body_hash blob not null default x'',
  policy text not null default 'guid', links_identify integer not null default 1,
  cut integer not null default 0,
  newest text, most_new integer not null default 0, rate real not null default 0,
  baseline_at text, last_poll_at text, last_ok_at text,
  interval real not null default 0, reason text not null default '', full_at text,
  failures integer not null default 0, failing_since text, failure text,
  failure_text text not null default '', noticed integer not null default 0,
  gone integer not null default 0, empties integer not null default 0,
  gaps integer not null default 0,
  adopted_url text, redirection text, hints text not null default ''
);
create index feeds_due on feeds (next_poll_at) where active = 1;
create table documents (feed_id integer primary key references feeds (id), records blob not null);
create table hosts (host text primary key, not_before text not null) without rowid;
create table entries (
  id integer primary key,
  feed_id integer not null references feeds (id),
  story_id integer not null,
  guid_key blob not null, link_key blob not null, title_key blob not null,
  article_key blob not null,
  guid text not null, link text not null, title text not null, summary text not null,
  author text not null, source text not null,
  published text, updated text, first_seen_at text not null,
  absent_since text,
  silent text not null default ''
);
create index entries_guid on entries (feed_id, guid_key) where guid_key != x'';
create index entries_link on entries (link_key) where link_key != x'';
create index entries_title on entries (feed_id, title_key);
create index entries_article on entries (feed_id, article_key) where article_key != x'';
create index entries_story on entries (story_id);
create index entries_absent on entries (absent_since) where absent_since is not null;
create table revisions (
  entry_id integer not null references entries (id),
  at text not null, title text not null, summary text not null,
  primary key (entry_id, at)
) without rowid;
create table chats (
  id integer primary key,
  name text not null,
  kind text not null,
  address integer not null,
  topic integer not null default 0,
  declared integer not null default 0,
  allowed integer not null default 1,
  operator integer not null default 0,
  paused text not null default '',
  not_before text,
  last_sent_at text,
  unique (kind, address, topic)
);
create table people (
  user_id integer primary key, role text not null, name text not null, since text not null
);
create table claims (
  token_hash blob primary key, expires_at text not null, used_at text
) without rowid;
create table subscriptions (
  id integer primary key,
  name text not null,
  query text not null,
  feeds text not null default '[]',
  declared integer not null default 0,
  created_at text not null,
  removed_at text
);
create table routes (
  subscription_id integer not null references subscriptions (id),
  chat_id integer not null references chats (id),
  primary key (subscription_id, chat_id)
) without rowid;
create index routes_chat on routes (chat_id);
create table alerts (
  chat_id integer not null references chats (id),
  story_id integer not null,
  entry_id integer not null references entries (id),
  first_title text not null,
  catch_up integer not null default 0,
  revision integer not null default 0,
  message_id integer,
  created_at text not null,
  primary key (chat_id, story_id)
) without rowid;
create index alerts_story on alerts (story_id);
create index alerts_message on alerts (chat_id, message_id) where message_id is not null;
create table alert_matches (
  chat_id integer not null, story_id integer not null,
  subscription_id integer not null references subscriptions (id),
  entry_id integer not null, spans text not null,
  primary key (chat_id, story_id, subscription_id),
  foreign key (chat_id, story_id) references alerts (chat_id, story_id)
) without rowid;
create table outbox (
  id integer primary key,
  chat_id integer not null references chats (id),
  kind text not null,
  priority integer not null,
  state text not null default 'queued',
  attempts integer not null default 0,
  doubts integer not null default 0,
  plain integer not null default 0,
  text text not null default '', entities text not null default '[]', reply_to integer,
  message_id integer,
  lease_until text,
  created_at text not null,
  settled_at text,
  error text not null default ''
);
create index outbox_queue on outbox (chat_id, priority, id) where state = 'queued';
create index outbox_state on outbox (state, settled_at) where state != 'queued';
create table outbox_alerts (
  outbox_id integer not null references outbox (id),
  chat_id integer not null, story_id integer not null,
  primary key (outbox_id, chat_id, story_id)
) without rowid;
create index outbox_of_alert on outbox_alerts (chat_id, story_id)
"""

# `search` holds for each entry the keys that queries look for, not its text; see `search_index`.
# `unsearched` names entries whose words changed since their row in `search` was written;
# `searched_again` leads from their further rows to them.
_SECOND = """
alter table entries add column language text not null default '';
create index entries_seen on entries (first_seen_at);
create virtual table search using fts5 (
  keys, content='', detail=none, columnsize=0, tokenize="ascii tokenchars '=^~:./-_'"
);
create table searched_again (id integer primary key, entry_id integer not null);
create table unsearched (entry_id integer primary key);
create table pending (
  chat_id integer primary key references chats (id),
  query text not null,
  expires_at text not null
)
"""

# A story is named by the id of its first entry; `alerts.story_id` names a story of the level
# `grouping`. An alert with `merged_into` stays in the chat beside the alert of the story that its
# own became part of, and changes only with its own entry.
_THIRD = """
alter table entries add column strict_id integer not null default 0;
alter table entries add column storyline_id integer not null default 0;
alter table entries add column house text not null default '';
alter table entries add column origin text not null default '';
alter table entries add column agency text not null default '';
update entries set strict_id = story_id, storyline_id = story_id;
create index entries_strict on entries (strict_id);
create index entries_storyline on entries (storyline_id);
create table joins (
  entry_id integer not null,
  other_id integer not null,
  score real not null,
  reason text not null,
  primary key (entry_id, other_id)
) without rowid;
create table merges (
  grouping text not null,
  gone integer not null,
  kept integer not null,
  at text not null,
  primary key (grouping, gone)
) without rowid;
alter table subscriptions add column urgency text not null default 'normal';
alter table subscriptions add column publishers integer not null default 1;
alter table subscriptions add column or_after real;
alter table subscriptions add column ring_again_at integer not null default 0;
alter table chats add column grouping text;
alter table chats add column declared_grouping text;
alter table alerts add column grouping text not null default 'normal';
alter table alerts add column held integer not null default 0;
alter table alerts add column due_at text;
alter table alerts add column single integer not null default 0;
alter table alerts add column again integer not null default 0;
alter table alerts add column followed integer not null default 0;
alter table alerts add column merged_into integer;
alter table alerts add column edited_at text;
create index alerts_due on alerts (due_at) where held = 1;
create index alerts_merged on alerts (merged_into) where merged_into is not null;
alter table outbox add column not_before text;
create table stances (
  chat_id integer not null references chats (id),
  storyline_id integer not null,
  stance text not null,
  since text not null,
  moved_at text not null,
  primary key (chat_id, storyline_id)
) without rowid;
create index stances_storyline on stances (storyline_id)
"""

# `hours_at` is when quiet hours or digests of the chat have to be looked at again; empty: now. A
# feed that is not declared is polled for the chats of `feed_chats`, and alerts no other chat.
# `screens.state` is JSON; the buttons of a screen carry its id and a word.
_FOURTH = """
alter table chats add column settings text not null default '{}';
alter table chats add column declared_settings text not null default '{}';
alter table chats add column quiet_until text;
alter table chats add column digested_at text;
alter table chats add column hours_at text not null default '';
alter table chats add column acts_for integer references chats (id);
alter table chats add column channel integer not null default 0;
create index chats_hours on chats (hours_at);
update people set role = 'owner' where role = 'admin';
alter table claims add column purpose text not null default 'claim';
alter table claims add column state text not null default '{}';
alter table claims add column chat_id integer;
alter table feeds add column declared integer not null default 1;
create table feed_chats (
  feed_id integer not null references feeds (id),
  chat_id integer not null references chats (id),
  user_id integer not null,
  at text not null,
  primary key (feed_id, chat_id)
) without rowid;
create index feed_chats_user on feed_chats (user_id, at);
create index feed_chats_chat on feed_chats (chat_id);
create table links (
  chat_id integer not null references chats (id),
  user_id integer not null,
  at text not null,
  primary key (user_id, chat_id)
) without rowid;
alter table subscriptions add column paused integer not null default 0;
create table screens (
  id integer primary key autoincrement,
  chat_id integer not null references chats (id),
  user_id integer not null,
  name text not null,
  state text not null,
  expects text not null default '',
  touched_at text not null
);
create index screens_expecting on screens (chat_id, user_id) where expects != '';
create index screens_touched on screens (touched_at);
alter table alerts add column form text not null default '';
alter table alerts add column taken_by text not null default '';
alter table alerts add column taken_user integer not null default 0;
alter table outbox add column form text not null default '';
alter table outbox add column buttons text not null default '[]';
alter table outbox add column edits integer;
alter table outbox add column screen integer;
create index outbox_screen on outbox (screen) where screen is not null;
create index outbox_chat on outbox (chat_id, created_at);
alter table outbox add column file_name text not null default '';
alter table outbox add column file blob;
alter table outbox add column picture integer not null default 0;
create table verdicts (
  chat_id integer not null references chats (id),
  story_id integer not null,
  user_id integer not null,
  verdict integer not null,
  at text not null,
  primary key (chat_id, story_id, user_id)
) without rowid
"""

# What is due is looked at page by page. Of feeds that are leased there are few, and of those that a
# node polled, which shares the database with others, there are none in SQLite.
_CLAIMS = """
drop index feeds_due;
create index feeds_due on feeds (next_poll_at, id) where active = 1;
create index feeds_leased on feeds (host, lease_until) where lease_until is not null;
create index feeds_polled on feeds (host, last_poll_at) where node != ''
"""

# `chat_id` is that of the private chat in which a person asked, or whose alerts a feed holds; none
# and no person for the operator at the command line.
_WEB = """
create table web_tokens (
  token_hash blob primary key,
  kind text not null,
  user_id integer not null,
  chat_id integer references chats (id) on delete cascade,
  made_at text not null,
  expires_at text not null
) without rowid;
create index web_tokens_user on web_tokens (user_id);
create index web_tokens_chat on web_tokens (chat_id);
create index web_tokens_expiry on web_tokens (expires_at)
"""

# `search_empty` holds what FTS5 puts into the table `search_data` of an index without rows, and
# `search_waste` the rows of that of a former index, which are deleted step by step.
_SIXTEENTH = """
create virtual table search_new using fts5 (keys, content='', detail=none, columnsize=0);
create table search_empty as select id, block from search_new_data;
drop table search_new;
create table search_waste (id integer primary key, block blob);
insert into search (search, rank) values ('automerge', 0)
"""

# `alerted` marks what a clean-up has to keep because an alert names it, so that no later one looks
# at it again: whoever deletes alerts has to take it back. `feeds.stored` counts a feed's entries.
# `feeds.stopped_at` is when a clean-up saw that nobody has the feed any more; '9999': its articles
# alerted. `unsearched.at` is when the words changed last. The meta value `search_obsolete` counts
# the rows of `search` that belong to no entry, or to an entry with other words.
_EIGHTH = """
alter table entries add column alerted integer not null default 0;
drop index entries_absent;
create index entries_absent on entries (absent_since)
  where absent_since is not null and alerted = 0;
create index alerts_entry on alerts (entry_id);
drop index alerts_story;
create index alerts_story on alerts (coalesce(merged_into, story_id));
create index alert_matches_subscription on alert_matches (subscription_id);
alter table subscriptions add column alerted integer not null default 0;
create index subscriptions_removed on subscriptions (removed_at)
  where removed_at is not null and alerted = 0;
alter table feeds add column stored integer not null default 0;
update feeds set stored = (select count(*) from entries where feed_id = feeds.id);
alter table feeds add column stopped_at text;
create index feeds_stopped on feeds (stopped_at) where active = 0;
create index feeds_returned on feeds (id) where active = 1 and stopped_at is not null;
create index feeds_moved on feeds (adopted_url) where adopted_url is not null;
create index outbox_message on outbox (chat_id, message_id) where message_id is not null;
create index screens_chat on screens (chat_id);
create index links_chat on links (chat_id);
create index chats_acting on chats (acts_for) where acts_for is not null;
create index merges_at on merges (at);
create index verdicts_at on verdicts (at);
create index claims_expiry on claims (expires_at);
alter table unsearched add column at text not null default '';
create index unsearched_at on unsearched (at);
insert or replace into meta
  select 'search_obsolete', max(0, cast(value as integer) - (select count(*) from entries))
  from meta where name = 'search_rows'
"""
