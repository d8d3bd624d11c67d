@file:OptIn(ExperimentalCoroutinesApi::class)

package millstream.benches

import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.flatMapConcat
import kotlinx.coroutines.flow.flatMapMerge
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.fold
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.merge
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.transform
import kotlinx.coroutines.flow.zip
import kotlinx.coroutines.runBlocking

private const val CAPACITY = 256
private const val CONCURRENCY = 256

/** The benchmarks of Kotlin's Flow. */
object Flows {
    private fun numbers(n: Int): Flow<Long> = flow {
        for (i in 0L until n) {
            emit(i)
        }
    }

    private fun run(flow: Flow<Long>): Long = runBlocking { flow.fold(0L) { sum, item -> sum + item } }

    fun chain(n: Int): Long = run(numbers(n).map { Work.map(it) }.filter { it and 1L == 0L })

    fun hub(n: Int, subscribers: Int): Long = runBlocking {
        val hub = MutableSharedFlow<Long>(extraBufferCapacity = CAPACITY)
        // They subscribe before the first item is sent.
        val sums = List(subscribers) {
            async(start = CoroutineStart.UNDISPATCHED) { hub.take(n).fold(0L) { sum, item -> sum + item } }
        }
        for (i in 0L until n) {
            hub.emit(i)
        }
        sums.awaitAll().sum()
    }

    fun flatMap(n: Int): Long = run(numbers(n).flatMapMerge(CONCURRENCY) { flowOf(it) })

    fun concatMap(n: Int): Long = run(numbers(n).flatMapConcat { flowOf(it) })

    fun concatMapOfTwo(n: Int): Long = run(numbers(n).flatMapConcat { flowOf(it, it + 1) })

    fun flatMapIter(n: Int): Long = run(numbers(n).transform { for (item in listOf(it)) emit(item) })

    fun buffer(n: Int): Long = run(numbers(n).buffer(CAPACITY))

    fun zip(n: Int): Long = run(numbers(n).zip(numbers(n)) { a, b -> a + b }.map { Work.map(it) })

    fun merge(n: Int): Long = run(merge(numbers(n / 2), numbers(n / 2)))

    fun combineLatest(n: Int): Long = run(numbers(n / 2).combine(numbers(n / 2)) { a, b -> a + b })

    fun publishOn(n: Int, hops: Int): Long {
        var flow = numbers(n)
        for (i in 0 until hops) {
            // Two dispatchers by turns, since a flow that stays on one is not passed on.
            flow = flow.buffer(CAPACITY).flowOn(if (i % 2 == 0) Dispatchers.Default else Dispatchers.IO)
        }
        return run(flow)
    }

    fun parallelMap(n: Int, workers: Int): Long = runBlocking(Dispatchers.Default) {
        // The one that waits for its turn is one of the workers.
        numbers(n).map { async { Work.work(it) } }.buffer(workers - 1).fold(0L) { sum, item -> sum + item.await() }
    }

    fun flowsOnPool(n: Int): Long = runBlocking(Dispatchers.Default) {
        List(n) { i -> async { tens(i.toLong()).fold(0L) { sum, item -> sum + item } } }.awaitAll().sum()
    }

    private fun tens(from: Long): Flow<Long> = flow {
        for (i in from until from + 10) {
            emit(i)
        }
    }
}
