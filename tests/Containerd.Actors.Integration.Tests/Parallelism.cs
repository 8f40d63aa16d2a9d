// SPDX-License-Identifier: Apache-2.0

// Each class has a daemon of its own, but the machine has one kernel: what one test waits for another must not slow down.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
