"""Which ONNX operators run-times and accelerators take, where they cannot be asked here: tables with their sources."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OperatorTable:
    """What one of them takes.

    Attributes:
        operators: by name; others than ONNX's own with their domain.
        source: whose word it is, of which version and when.
        least_opset, most_opset: operator sets it reads; None: no limit is told.
    """

    operators: frozenset[str]
    source: str
    least_opset: int | None = None
    most_opset: int | None = None


def _named(words: str) -> frozenset[str]:
    return frozenset(words.split())


TENSORRT = OperatorTable(
    _named("""
    Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization BlackmanWindow
    Cast CastLike Ceil Celu Clip Concat Constant ConstantOfShape Conv ConvTranspose Cos Cosh CumSum DeformConv
    DepthToSpace DequantizeLinear Div Dropout Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather
    GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample
    GroupNormalization GRU HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity If ImageScaler
    InstanceNormalization IsInf IsNaN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop LRN LSTM
    LpNormalization LpPool MatMul Max MaxPool Mean MeanVarianceNormalization Min Mish Mod Mul Neg NonMaxSuppression
    NonZero Not OneHot Or Pad ParametricSoftplus Pow PRelu QuantizeLinear RandomNormal RandomNormalLike RandomUniform
    RandomUniformLike Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin
    ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence RMSNormalization RNN RoiAlign
    RotaryEmbedding Round STFT ScaledTanh Scan Scatter ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin
    Sinh Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tan Tanh TensorScatter
    ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Upsample Where Xor
    """),
    "onnx-tensorrt, docs/operators.md of TensorRT 10.15 (2026-02)",
    least_opset=9,
    most_opset=24,
)
# ONNX Runtime splits a model: what Core ML does not take, runs on the processor.
CORE_ML = OperatorTable(
    _named("""
    Add ArgMax AveragePool Cast Clip Concat Conv ConvTranspose Cos DepthToSpace Ceil Div Elu Erf Exp GatherND Gemm Gelu
    GlobalAveragePool GlobalMaxPool GridSample GroupNormalization HardSigmoid Identity InstanceNormalization
    LayerNormalization LeakyRelu MatMul MaxPool Max Mul Pow PRelu Range Reciprocal ReduceSum ReduceMean ReduceMax Relu
    Reshape Resize Round Shape Sin Slice Softplus Split Sub Sigmoid Softmax Sqrt Squeeze Tanh Tile Transpose Unsqueeze
    com.microsoft:QuickGelu com.microsoft:FusedConv
    """),
    "ONNX Runtime, coreml_supported_mlprogram_ops.md (main, 2026), ML Program format",
)
OPENVINO = OperatorTable(
    _named("""
    Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization BitShift BitwiseAnd
    BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike Ceil Celu Clip Compress Concat Constant
    ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum DepthToSpace DequantizeLinear DFT Div Dropout
    DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather GatherElements GatherND Gelu
    Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization GRU
    HammingWindow HardSigmoid HardSwish Hardmax Identity If ImageScaler InstanceNormalization IsFinite IsInf IsNaN
    LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop LpNormalization LRN LSTM MatMul MatMulInteger Max
    MaxPool MaxRoiPool Mean MeanVarianceNormalization Min Mish Mod Mul Multinomial Neg NonMaxSuppression NonZero Not
    OneHot Or Pad Pow PRelu QLinearConv QLinearMatMul QuantizeLinear RandomNormal RandomNormalLike RandomUniform
    RandomUniformLike Range Reciprocal ReduceLogSum ReduceLogSumExp ReduceL1 ReduceL2 ReduceMax ReduceMean ReduceMin
    ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence RMSNormalization RNN RoiAlign
    RotaryEmbedding Round Scan Scatter ScatterElements ScatterND Selu SequenceAt Shape Shrink Sigmoid Sign Sin Sinh
    Size Slice Softmax Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze STFT Sub Sum Tan Tanh
    ThresholdedRelu Tile TopK Transpose Trilu Unique Unsqueeze Upsample Where Xor com.microsoft:Attention
    com.microsoft:BiasGelu com.microsoft:EmbedLayerNormalization com.microsoft:FusedConv com.microsoft:FusedGemm
    com.microsoft:FusedMatMul com.microsoft:MatMulNBits com.microsoft:QuickGelu
    com.microsoft:SkipLayerNormalization
    """),
    "OpenVINO, supported-operations.rst, ONNX front end (2025.4.1, 2025-12)",
)
DLA = OperatorTable(
    _named("""
    Abs Add AveragePool BatchNormalization Clip Concat Constant Conv ConvTranspose Cos Div Equal Gemm LeakyRelu LRN
    MatMul Max MaxPool Min Mul Pow PRelu Relu Reshape Resize Sigmoid Slice Softmax Sub Sum Tanh Transpose Upsample
    QuantizeLinear DequantizeLinear
    """),
    # Div, Min and Pow: "DLA Supported Layers and Restrictions"; Q/DQ: "Strongly Typed Networks for DLA", 11.4.1.
    "NVIDIA, Deep-Learning-Accelerator-SW, operators/README.md (Orin), and the DLA pages of TensorRT 11.4.1 (2026)",
)
# By the names of OpenVINO's own operations: the NPU compiler reads those, not ONNX.
NPU = OperatorTable(
    _named("""
    Parameter Result Constant Convert ConvertLike Softmax LogSoftmax Tile Split Power Multiply Relu Convolution
    GroupConvolution GroupNormalization ConvolutionBackpropData GroupConvolutionBackpropData AvgPool MaxPool
    AdaptiveAvgPool AdaptiveMaxPool ShuffleChannels Gather GatherND GatherTree NV12toRGB NV12toBGR I420toRGB I420toBGR
    RandomUniform OneHot BatchNormInference GatherElements ScatterNDUpdate ScatterUpdate ScatterElementsUpdate Clamp
    Elu Reshape Squeeze Sigmoid GridSample LRN ReduceMax ReduceMean ReduceLogicalOr ReduceLogicalAnd ReduceProd
    ReduceSum ReduceMin ReduceL1 ReduceL2 Unsqueeze Minimum Maximum Add Divide SquaredDifference FloorMod Mod Proposal
    Reverse FakeQuantize FakeConvert MatMul Tan Tanh Sin Cos Sqrt Sinh Cosh Asinh Acosh Atanh Log Selu Gelu Exp HSwish
    Floor Round Mish Erf Broadcast Bucketize Transpose Interpolate TopK RegionYolo ReorgYolo DetectionOutput
    NormalizeL2 CumSum Eye MVN Concat ROIPooling PSROIPooling ROIAlign ExperimentalDetectronROIFeatureExtractor
    StridedSlice PRelu Swish GRN Negative Sign CTCGreedyDecoder CTCGreedyDecoderSeqLen Pad LSTMCell Subtract LogicalAnd
    LSTMSequence Ceiling SoftPlus Equal Select NonMaxSuppression NonMaxSuppressionIEInternal DepthToSpace
    ReverseSequence Less LessEqual NotEqual Greater GreaterEqual LogicalNot LogicalOr LogicalXor BitwiseAnd BitwiseOr
    BitwiseXor BitwiseNot SpaceToDepth BatchToSpace SpaceToBatch ExtractImagePatches Abs Atan Asin Acos Roll HSigmoid
    HardSigmoid EmbeddingBagOffsetsSum EmbeddingSegmentsSum EmbeddingBagPackedSum Assign ReadValue GRUCell GRUSequence
    DeformablePSROIPooling TensorIterator Loop DFT IDFT RDFT IRDFT STFT If ShapeOf Range NonZero RMS Inverse
    DeformableConvolution VariadicSplit RoPE ScaledDotProductAttention Identity Slice Einsum
    """),
    "Intel, npu_compiler, frontend/IE.cpp, with what it rewrites before (Slice, Einsum) (2025)",
)
TABLES = {"tensorrt": TENSORRT, "coreml": CORE_ML, "openvino": OPENVINO, "dla": DLA, "npu": NPU}
