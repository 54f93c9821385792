"""Tasks that could all go on at once let others have their turn."""

import asyncio

from bot.feeds.yielding import LoopTurns


async def turns_of(count: int, at_once: int) -> list[int]:
    """Return the turn of the event loop in which each task went on, in the order of the tasks."""
    turns, now, taken = LoopTurns(at_once), 0, dict[int, int]()

    def count_turn() -> None:
        nonlocal now
        now += 1
        if len(taken) < count:
            asyncio.get_running_loop().call_soon(count_turn)

    async def work(number: int) -> None:
        await turns.wait()
        taken[number] = now

    count_turn()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(work(number))
    assert list(taken) == list(range(count))  # as they came
    return list(taken.values())


async def test_no_turn_has_more_tasks_than_allowed() -> None:
    found = await turns_of(20, 3)
    assert max(found.count(turn) for turn in found) == 3


async def test_tasks_that_are_few_enough_do_not_wait() -> None:
    assert len(set(await turns_of(3, 3))) == 1


async def test_a_task_that_is_cancelled_while_it_waits_holds_up_no_other() -> None:
    turns = LoopTurns(1)
    await turns.wait()
    waiting = asyncio.create_task(turns.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait_for(turns.wait(), 5)
    await asyncio.wait_for(turns.wait(), 5)
