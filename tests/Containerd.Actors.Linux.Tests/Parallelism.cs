// SPDX-License-Identifier: Apache-2.0

// Some tests start processes: between its spawn and its exec a child holds every lock and descriptor of this process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
