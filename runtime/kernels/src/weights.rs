//! int8 weights of a linear layer, laid out once for the instruction set that will read them.

use crate::buffer::Buffer;
use crate::error::{all_finite, same_len};
#[cfg(target_arch = "x86_64")]
use crate::linear::avx2::Wide;
use crate::{Error, Isa};

/// Largest K: 255 * 128 * K must fit in an `i32`.
const MOST_K: usize = 65_536;
/// Largest N; only keeps index arithmetic far from overflow.
const MOST_N: usize = 1 << 24;

/// The order of the bytes: `[panel][step][column of the panel][group]`, where a step covers `group` consecutive k.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Columns of a panel.
    pub(crate) width: usize,
    /// Consecutive k that one multiply-add instruction sums.
    pub(crate) group: usize,
}

impl Layout {
    pub(crate) const fn of(isa: Isa) -> Layout {
        match isa {
            Isa::Avx512Vnni => Layout {
                width: 64,
                group: 4,
            },
            Isa::NeonI8mm => Layout { width: 8, group: 8 },
            Isa::NeonDot => Layout {
                width: 16,
                group: 4,
            },
            Isa::Avx2 => Layout {
                width: 16,
                group: 4,
            },
            Isa::Neon => Layout {
                width: 4,
                group: 16,
            },
            Isa::Portable => Layout {
                width: 16,
                group: 1,
            },
        }
    }
}

/// The weights of a linear layer `y = x W + b`: int8 with one scale per output channel, packed for one [`Isa`].
#[derive(Clone)]
pub struct PackedWeights {
    isa: Isa,
    k: usize,
    n: usize,
    pub(crate) layout: Layout,
    /// Steps of `layout.group` values along K, the last one padded with zero weights.
    pub(crate) steps: usize,
    /// Whether a weight is -128, for kernels that add products in 16 bits.
    #[cfg(target_arch = "aarch64")]
    pub(crate) lowest: bool,
    pub(crate) data: Buffer<i8>,
    /// Per column, padded to whole panels: scale, bias, and the sum of the integers (for the zero-point correction).
    pub(crate) scale: Buffer<f32>,
    pub(crate) bias: Buffer<f32>,
    pub(crate) sum: Buffer<i32>,
    /// For AVX2 the panels in 16 bits, which its kernel reads instead of `data`. They take twice the memory; widening a
    /// panel for each run of rows cost 4 % of a network on one thread and more on several.
    #[cfg(target_arch = "x86_64")]
    pub(crate) wide: Wide,
}

impl PackedWeights {
    /// Packs `weights` (`[k, n]`, row-major: one row per input channel) with `scales` (`[n]`) and `bias` (`[n]`), so that
    /// the real weight is `weights[i][j] * scales[j]`.
    ///
    /// # Errors
    /// [`Error::IsaUnavailable`], [`Error::Dimension`] (k within 1..=65536, n at least 1), [`Error::Length`], and
    /// [`Error::NotFinite`] for a NaN or infinity among scales or bias.
    pub fn pack(
        isa: Isa,
        weights: &[i8],
        k: usize,
        n: usize,
        scales: &[f32],
        bias: &[f32],
    ) -> Result<PackedWeights, Error> {
        isa.check()?;
        for (what, found, most) in [
            ("K of the weights", k, MOST_K),
            ("N of the weights", n, MOST_N),
        ] {
            if found == 0 || found > most {
                return Err(Error::Dimension { what, found, most });
            }
        }
        same_len("weights [K, N]", k * n, weights.len())?;
        same_len("weight scales [N]", n, scales.len())?;
        same_len("bias [N]", n, bias.len())?;
        all_finite("weight scales [N]", scales)?;
        all_finite("bias [N]", bias)?;

        let layout = Layout::of(isa);
        let Layout { width, group } = layout;
        let steps = k.div_ceil(group);
        let panels = n.div_ceil(width);
        let mut data = Buffer::zeroed(panels * steps * width * group);
        let mut scale = Buffer::zeroed(panels * width);
        let mut sum = Buffer::zeroed(panels * width);
        let mut bias_padded = Buffer::zeroed(panels * width);
        scale.as_mut_slice()[..n].copy_from_slice(scales);
        bias_padded.as_mut_slice()[..n].copy_from_slice(bias);

        for (panel, bytes) in data
            .as_mut_slice()
            .chunks_exact_mut(steps * width * group)
            .enumerate()
        {
            let columns = panel * width..n.min((panel + 1) * width);
            let sums = &mut sum.as_mut_slice()[columns.clone()];
            for (i, row) in weights.chunks_exact(n).enumerate() {
                let step = &mut bytes[i / group * width * group..][..width * group];
                let row = &row[columns.clone()];
                for ((to, from), sum) in step.chunks_exact_mut(group).zip(row).zip(sums.iter_mut())
                {
                    to[i % group] = *from;
                    *sum += i32::from(*from);
                }
            }
        }
        let mut packed = PackedWeights {
            isa,
            k,
            n,
            layout,
            steps,
            #[cfg(target_arch = "aarch64")]
            lowest: weights.contains(&i8::MIN),
            data,
            scale,
            bias: bias_padded,
            sum,
            #[cfg(target_arch = "x86_64")]
            wide: Wide::default(),
        };
        // SAFETY: the instruction set was checked.
        unsafe { packed.widen() };
        if packed.isa == Isa::Avx2 {
            packed.data = Buffer::default();
        }
        Ok(packed)
    }

    /// No weights yet; [`Self::reshape`] and the packing of keys fill them.
    pub(crate) fn empty(isa: Isa) -> Result<PackedWeights, Error> {
        isa.check()?;
        Ok(PackedWeights {
            isa,
            k: 0,
            n: 0,
            layout: Layout::of(isa),
            steps: 0,
            // Keys are within -127..=127.
            #[cfg(target_arch = "aarch64")]
            lowest: false,
            data: Buffer::default(),
            scale: Buffer::default(),
            bias: Buffer::default(),
            sum: Buffer::default(),
            #[cfg(target_arch = "x86_64")]
            wide: Wide::default(),
        })
    }

    /// Room for `[k, n]`, with whatever was there before. Nothing ever writes the bias of keys, so it stays 0. Columns
    /// that pad the last panel may hold anything: the kernels do not store what comes of them.
    pub(crate) fn reshape(&mut self, k: usize, n: usize) {
        let Layout { width, group } = self.layout;
        (self.k, self.n, self.steps) = (k, n, k.div_ceil(group));
        let columns = n.next_multiple_of(width);
        self.data.prepare(columns * self.steps * group);
        self.scale.prepare(columns);
        self.bias.prepare(columns);
        self.sum.prepare(columns);
    }

    /// Widens what was packed, where the instruction set wants it.
    ///
    /// # Safety
    /// The instruction set is available.
    pub(crate) unsafe fn widen(&mut self) {
        #[cfg(target_arch = "x86_64")]
        if self.isa == Isa::Avx2 {
            let mut wide = std::mem::take(&mut self.wide);
            // SAFETY: packed for AVX2; the promise of the caller.
            unsafe { wide.fill(self) };
            self.wide = wide;
        }
    }

    /// The instruction set that this was packed for, and that [`linear`](crate::linear()) will run on.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Input channels.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }

    /// Output channels.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// Memory held, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let narrow = self.data.bytes();
        #[cfg(target_arch = "x86_64")]
        let narrow = narrow + self.wide.bytes();
        narrow + self.scale.bytes() + self.bias.bytes() + self.sum.bytes()
    }

    /// The bytes of one panel.
    pub(crate) fn panel(&self, index: usize) -> &[i8] {
        let size = self.steps * self.layout.width * self.layout.group;
        &self.data.as_slice()[index * size..(index + 1) * size]
    }
}

impl std::fmt::Debug for PackedWeights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackedWeights")
            .field("isa", &self.isa)
            .field("k", &self.k)
            .field("n", &self.n)
            .finish_non_exhaustive()
    }
}
