"""What ends a process by force, and what does not."""

from kernel.guard import Guard


def guarded() -> tuple[Guard, list[str]]:
    said: list[str] = []
    return Guard(3, said.append), said


def test_a_loop_that_turns_is_left_alone() -> None:
    guard, said = guarded()
    for _ in range(20):
        guard.wake()
        guard.turned()
    assert not said


def test_a_loop_that_stands_ends_the_process() -> None:
    guard, said = guarded()
    for _ in range(3):
        guard.wake()
    assert not said
    guard.wake()
    assert said == ["expected the event loop to turn; found it stands for 4 s"]


def test_a_process_that_does_not_stop_is_ended_though_its_loop_turns() -> None:
    guard, said = guarded()
    guard.stop()
    for _ in range(10):
        guard.wake()
        guard.turned()
        guard.stop()  # a second order gives no more time
    assert not said
    guard.wake()
    assert said == ["expected to stop within 10 s; it has not"]


def test_the_thread_wakes_and_ends_with_the_block() -> None:
    guard, said = guarded()
    with guard:
        thread = guard._thread
        assert thread.is_alive()
    thread.join(2)
    assert not thread.is_alive()
    assert not said
