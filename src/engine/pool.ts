/** Runs tasks at once up to a limit, and to a limit of each group: started in order, as far as the limits let them. */

export interface PoolTask {
  readonly group: string;
  /** At once within the group; `undefined` for no limit of its own. */
  readonly limit: number | undefined;
  readonly run: () => Promise<void>;
}

interface Group {
  active: number;
  readonly waiting: PoolTask[];
  /** The first of `waiting` that has not been started. */
  next: number;
}

/** Resolves when every task that was started has ended, and no more may start; past `isClosed`, none is. Rejects as a task does. */
export function runPool(tasks: readonly PoolTask[], limit: number, isClosed: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const groups = new Map<string, Group>();
    let position = 0;
    let active = 0;

    const groupOf = (name: string): Group => {
      const found = groups.get(name) ?? { active: 0, waiting: [], next: 0 };
      groups.set(name, found);
      return found;
    };

    const start = (task: PoolTask, group: Group): void => {
      active += 1;
      group.active += 1;
      void task.run().then(() => {
        active -= 1;
        group.active -= 1;
        const next = isClosed() ? undefined : group.waiting[group.next];
        if (next !== undefined) {
          group.next += 1;
          start(next, group);
        }
        fill();
      }, reject);
    };

    const hasRoom = (): boolean => active < limit && position < tasks.length && !isClosed();

    const fill = (): void => {
      while (hasRoom()) {
        const task = tasks[position] as PoolTask;
        position += 1;
        const group = groupOf(task.group);
        if (task.limit !== undefined && group.active >= task.limit) group.waiting.push(task);
        else start(task, group);
      }
      if (active === 0) resolve();
    };

    fill();
  });
}
