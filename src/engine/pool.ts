/** Runs tasks at once up to a limit, and to a limit of each group: started in order, as far as the limits let them. */

export interface PoolTask {
  readonly group: string;
  /** At once within the group; `undefined` for no limit of its own. */
  readonly limit: number | undefined;
  /** `undefined` when it has ended at once. */
  readonly run: () => Promise<void> | undefined;
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

    const isFull = (group: Group, task: PoolTask): boolean => task.limit !== undefined && group.active >= task.limit;

    const start = (task: PoolTask, group: Group): void => {
      const running = task.run();
      if (running === undefined) return;
      active += 1;
      group.active += 1;
      void running.then(() => {
        active -= 1;
        group.active -= 1;
        startWaiting(group);
        fill();
      }, reject);
    };

    const startWaiting = (group: Group): void => {
      for (let task = group.waiting[group.next]; task !== undefined; task = group.waiting[group.next]) {
        if (isClosed() || active >= limit || isFull(group, task)) return;
        group.next += 1;
        start(task, group);
      }
    };

    const hasRoom = (): boolean => active < limit && position < tasks.length && !isClosed();

    const fill = (): void => {
      while (hasRoom()) {
        const task = tasks[position] as PoolTask;
        position += 1;
        const group = groupOf(task.group);
        if (isFull(group, task)) group.waiting.push(task);
        else start(task, group);
      }
      if (active === 0) resolve();
    };

    fill();
  });
}
