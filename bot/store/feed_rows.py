"""Read feeds as they are polled: with their state, document, chats and host. Changes nothing."""

import json
from collections.abc import Iterable

from bot.model.feeds import FeedDue
from bot.store.engines.engine import Database
from bot.store.mappers import PACE_OF_HOST, get_feed

#: the feeds with these ids, in the order in which they are due
# The chats of a feed that the file declares are not read: its alerts may go to all.
DUE_FEEDS = f"""
    select feeds.*, records, case when declared = 1 then '' else
        (select json_group_array(chat_id) from feed_chats where feed_id = feeds.id)
    end as chats,
    {PACE_OF_HOST} as host_pace,
    exists (
        select 1 from feeds s where s.host = feeds.host and s.active = 1 and s.id != feeds.id
    ) as has_siblings
    from feeds left join documents on feed_id = id
    where id in (select cast(value as integer) from json_each(?)) order by next_poll_at, id
"""


def read_feeds(db: Database, ids: Iterable[int]) -> list[FeedDue]:
    """Return the feeds with these ids, in the order in which they are due."""
    rows = db.execute(DUE_FEEDS, [json.dumps(sorted(ids))]).fetchall()
    return [get_feed(row) for row in rows]
