"""The lock of a process's writers goes to whoever has waited longest."""

import threading

from tasks.ledger.fifo_lock import FifoLock
from tests.support.child_process import wait_until


def waiting(lock: FifoLock, came: list[int], number: int) -> threading.Thread:
    """Start a thread that takes the lock, notes its number and gives the lock back; it waits by then."""

    def take() -> None:
        assert lock.acquire(60)
        came.append(number)
        lock.release()

    before = lock.n_waiting
    thread = threading.Thread(target=take)
    thread.start()
    wait_until(lambda: lock.n_waiting == before + 1)
    return thread


def test_threads_get_the_lock_in_the_sequence_in_which_they_asked_for_it() -> None:
    """And before the one that gives it back and asks at once again."""
    lock, came = FifoLock(), list[int]()
    assert lock.acquire(0)
    threads = [waiting(lock, came, number) for number in range(5)]
    lock.release()
    assert lock.acquire(60)
    came.append(5)
    for thread in threads:
        thread.join()
    assert came == [0, 1, 2, 3, 4, 5]


def test_a_thread_that_gave_up_is_passed_over() -> None:
    """It has not taken the lock, and the next one does."""
    lock, came = FifoLock(), list[int]()
    assert lock.acquire(0)
    assert not lock.acquire(0.01)
    thread = waiting(lock, came, 1)
    lock.release()
    thread.join()
    assert came == [1]
    assert lock.acquire(0)
